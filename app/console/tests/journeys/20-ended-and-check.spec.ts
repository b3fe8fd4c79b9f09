import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { inHours, makeGroups, openCorals, press, row, submit, submitAccess } from '../corals';
import { visit } from '../visit';

const NAME = 'Reef editors of twenty';
const SECOND = 1 / 3600;

/** Takes a suggestion in the filter of organizations, then only what changed from tomorrow on. */
async function filterResources(page: Page): Promise<void> {
  await page.goto('/resources');
  await page.getByRole('combobox', { name: 'Organization' }).fill('marine');
  await page.getByRole('option', { name: /marine-science/ }).click();
  await page.waitForURL(/org=marine-science/);
  await row(page, 'Corals').first().waitFor();
  await page.getByLabel('Changed since').fill(inHours(48).slice(0, 10));
  await page.waitForURL(/since=/);
  await row(page, 'Corals').first().waitFor({ state: 'detached' });
}

test('an ended entry stays as it is until it is renewed, and a person is checked in a sentence', async () => {
  const [id] = await makeGroups([NAME], ['felix', 'ines']);
  await visit(async (page) => {
    const resource = await openCorals(page);
    const general = { roles: [] };
    const group = { group: { id }, roles: ['DATASET_DATA_READ'], expiresAt: inHours(3 * SECOND) };
    await submitAccess(page, resource, { general, groups: [group] });
    await page.waitForTimeout(4_000);
    await page.reload();
    await row(page, NAME)
      .getByText(/^Ended/)
      .waitFor();

    await press(page, 'Metadata Write');
    await submit(page);
    expect(
      await row(page, NAME)
        .getByText(/^Ended/)
        .count(),
    ).toBe(1);
    await press(page, 'Metadata Write');
    await submit(page);

    await page.getByRole('button', { name: `Renew ${NAME}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
    await submit(page);
    await row(page, NAME).getByText(/^Ends/).waitFor();

    await page.goto(`/resources/${resource}/people`);
    const check = async (name: string): Promise<void> => {
      await page.getByRole('combobox', { name: 'User name' }).fill(name);
      await page.getByRole('button', { name: 'Check' }).click();
    };
    await check('felix');
    await page.getByText(new RegExp(`felix has Metadata Read by ${NAME} until`)).waitFor();
    await check('luca.bianchi@example.org');
    await page.getByText(/There is no user with the email address luca.bianchi@example.org/).waitFor();
    await check('INES.KOVAC@example.org');
    await page.getByText(/^ines has Metadata Read/).waitFor();
    await check('luca');
    await page.getByText('luca has no way in.').waitFor();
    await check('nonesuch');
    await page.getByText('No user nonesuch is there, or visible to you.').waitFor();
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);

    await page.goto('/groups');
    const link = page.getByRole('link', { name: 'https://help.example/groups', exact: true });
    expect(await link.getAttribute('href')).toBe('https://help.example/groups');
    await filterResources(page);
  });
});
