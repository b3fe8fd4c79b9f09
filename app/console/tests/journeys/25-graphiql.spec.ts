import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ask } from '../corals';
import { openAs, REFUSED } from '../session';
import { demoPassword, visit } from '../visit';

const answer = (page: Page) => page.getByRole('region', { name: 'Answer' });

/** Run the operation as a person does: press again if nothing comes, since GraphiQL drops a press while it loads. */
async function run(page: Page): Promise<void> {
  const status = answer(page).getByText('Status 200');
  for (let tries = 0; tries < 3 && !(await status.isVisible()); tries += 1) {
    await page.getByRole('button', { name: /^Execute query/ }).click();
    await status.waitFor({ timeout: 8000 }).catch(() => null);
  }
  await status.waitFor();
}

test('GraphiQL runs a starter as the user who is signed in, completes, and says when the session ended', async () => {
  await visit(async (page) => {
    await openAs(page, 'ines', demoPassword, '/organizations');
    await page.goto('/graphql');
    await page.getByText('Signed in as ines.').waitFor();

    await page.getByRole('button', { name: 'Resources and what I may do' }).click();
    await page.locator('.graphiql-query-editor').getByText('resources').first().waitFor();
    await run(page);
    await answer(page)
      .getByText(/statements/)
      .waitFor();
    await answer(page).getByRole('button', { name: 'Next page' }).click();
    await answer(page).getByText('Executor: compiled').waitFor();

    await page.getByRole('button', { name: 'Who am I' }).click();
    await page.locator('.graphiql-query-editor .view-lines').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('{ vie');
    await page.keyboard.press('Control+Space');
    await page
      .getByRole('option', { name: /^viewer/ })
      .first()
      .waitFor();
    await page.keyboard.press('Escape');

    const other = await page.context().newPage();
    await other.goto('/');
    await other.getByRole('button', { name: /Inés/ }).click();
    await other.getByRole('menuitem', { name: 'Sign out' }).click();
    await other.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();

    await page.getByText('Your session has ended.').waitFor();
    expect(await page.evaluate(() => window.sessionStorage.length)).toBe(0);
  });
});

test('GraphiQL changes nothing as another user who signed in elsewhere, and shows that user then', async () => {
  await visit(
    async (page) => {
      await openAs(page, 'ines', demoPassword, '/organizations');
      await page.goto('/graphql');
      await page.getByText('Signed in as ines.').waitFor();
      await page.getByRole('button', { name: 'Who am I' }).click();
      await run(page);
      await ask(page, 'mutation ($input: LoginInput!) { login(input: $input) { errors { code } } }', {
        input: { userName: 'luca', password: demoPassword },
      });

      await page.getByRole('button', { name: /^Execute query/ }).click();

      await page.getByText('Signed in as luca.').waitFor();
    },
    // The editor of GraphiQL cancels its work when it goes.
    { expected: [REFUSED, /^Canceled$/] },
  );
});
