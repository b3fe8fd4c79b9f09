import { expect, test } from 'vitest';
import { adminPassword, openAs, REFUSED } from '../session';
import { visit } from '../visit';

const NEW_PASSWORD = 'correct-horse-42';

test('the administrator changes the password, and a second browser has to sign in', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/organizations');
    await page.getByText('Your account still has the default password').waitFor();
    await page.getByRole('link', { name: 'Change it' }).click();
    await page.waitForURL('**/account?tab=password');
    await page.getByText(/^At least \d+ characters?/).waitFor();
    await visit(
      async (second) => {
        await openAs(second, 'admin', adminPassword, '/settings/roles');

        await page.locator('[name="oldPassword"]').fill(adminPassword);
        await page.locator('[name="newPassword"]').fill(NEW_PASSWORD);
        await page.locator('[name="again"]').fill('something-else-42');
        await page.getByRole('button', { name: 'Change password' }).click();
        await page.getByText('The two new passwords differ.').waitFor();

        await page.locator('[name="again"]').fill(NEW_PASSWORD);
        await page.getByRole('button', { name: 'Change password' }).click();
        await page.getByText('Saved. Your other sessions have ended.').first().waitFor();

        await second.getByRole('link', { name: 'Users', exact: true }).click();
        await second.waitForURL('**/login?returnTo=*');
      },
      { expected: [REFUSED] },
    );

    await page.getByText('Your account still has the default password').waitFor({ state: 'detached' });
    await page.getByRole('tab', { name: 'Profile' }).click();
    expect(await page.getByText('admin', { exact: true }).first().isVisible()).toBe(true);
  });
});
