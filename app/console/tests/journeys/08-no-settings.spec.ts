import { expect, test } from 'vitest';
import { makeCorals } from '../corals';
import { openAs } from '../session';
import { demoPassword, visit } from '../visit';

test('who is no administrator of a resource sees no settings', async () => {
  let id = '';
  await visit(async (page) => {
    await openAs(page, 'ines', demoPassword, '/resources');
    id = await makeCorals(page);
  });
  await visit(async (page) => {
    await openAs(page, 'felix', demoPassword, `/resources/${id}`);
    await page.getByRole('heading', { level: 1, name: 'Corals' }).waitFor();
    expect(await page.getByRole('main').getByRole('link', { name: 'Settings' }).count()).toBe(0);

    const answers: string[] = [];
    page.on('response', (response) => {
      if (response.url().endsWith('/graphql')) {
        void response.text().then((text) => answers.push(text));
      }
    });
    await page.goto(`/resources/${id}/settings`);
    await page.getByText('Only administrators of this resource').waitFor();
    await expect.poll(() => answers.some((text) => text.includes('"access":null'))).toBe(true);

    await page.goto('/settings/users');
    await page.getByText('This page needs one of the permissions View Users, Manage Users.').waitFor();
  });
});
