import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { openCorals } from '../corals';
import { adminPassword, openAs, submitSignIn } from '../session';
import { demoPassword, visit } from '../visit';

const hasFocus = (page: Page, name: string): Promise<unknown> =>
  page.waitForFunction((wanted) => document.activeElement?.getAttribute('name') === wanted, name);

test('an empty sign-in asks for what is missing and sends nothing, and blanks around a name do not count', async () => {
  await visit(async (page) => {
    const sent: string[] = [];
    page.on('request', (request) => sent.push(request.postData() ?? ''));
    await page.goto('/login');
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('User name is required.').waitFor();
    await page.getByText('Password is required.').waitFor();
    await hasFocus(page, 'userName');
    expect(sent.filter((body) => body.includes('mutation'))).toEqual([]);

    await submitSignIn(page, ' ines ', demoPassword);
    await page.waitForURL((url) => url.pathname === '/');
  });
});

test('every empty field of a new resource says that it is required', async () => {
  await visit(async (page) => {
    await openAs(page, 'ines', demoPassword, '/resources');
    await page.getByRole('button', { name: 'Create resource' }).click();
    const form = page.getByRole('dialog');
    const create = form.getByRole('button', { name: 'Create' });
    await create.click();
    await form.getByText('Name is required.').waitFor();
    await form.getByText('Slug is required.').waitFor();
    await form.getByText('Organization is required.').waitFor();
    await hasFocus(page, 'name');

    await form.getByLabel('Name').fill('Kelp');
    await form.getByText('Name is required.').waitFor({ state: 'detached' });
    await create.click();
    await hasFocus(page, 'slug');
  });
});

test('a person who is not there is refused before anything is submitted', async () => {
  await visit(async (page) => {
    await openCorals(page);
    await page.getByRole('button', { name: 'Add person' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'User name or email' }).fill('nonesuch');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Correct the marked rows before you submit.').waitFor();
    expect(await page.getByText('Nothing was saved').count()).toBe(0);
  });
});

test('a new token stays until its button says that it is copied', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/account?tab=tokens');
    await page.getByRole('button', { name: 'Create API token' }).click();
    const form = page.getByRole('dialog', { name: 'Create API token' });
    await form.getByLabel('Name').fill('nightly');
    await form.getByRole('button', { name: 'Create API token' }).click();

    const dialog = page.getByRole('dialog', { name: 'Your new API token' });
    await dialog.getByText('Copy the token now.').waitFor();
    await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    await page.waitForTimeout(500);
    expect(await dialog.isVisible()).toBe(true);
    await dialog.getByRole('button', { name: 'I have copied it' }).click();
    await dialog.waitFor({ state: 'detached' });
  });
});
