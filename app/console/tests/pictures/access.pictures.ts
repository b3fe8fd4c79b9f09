import type { Page } from 'playwright-core';
import { addGroups, editRow, press } from '../corals';
import { openAccess, picture } from './picture';

const PHONE = { width: 390, height: 844 };

/** Makes changes that say in the banner who would gain and who would lose what. They are never submitted. */
async function draft(page: Page): Promise<void> {
  await openAccess(page);
  await addGroups(page, ['Reviewers']);
  await editRow(page, 'Reviewers', 'Dataset Data Read', 'In 90 days');
  await press(page, 'Dataset Data Read');
  await page.getByText(/^Reviewers \(\d+ people\) gain Dataset Data Read until/).waitFor();
  await page.evaluate(() => window.scrollTo(0, 0));
}

picture('access', openAccess);
picture('access-draft', draft);
picture('access-dark', draft, { colorScheme: 'dark' });
picture('access-phone', draft, PHONE);

picture('add-groups', async (page) => {
  await openAccess(page);
  await page.getByRole('button', { name: 'Add group' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('searchbox').fill('Reviewers');
  await dialog.getByRole('checkbox', { name: 'Select Reviewers' }).check();
  await dialog.getByText('1 selected').waitFor();
});
