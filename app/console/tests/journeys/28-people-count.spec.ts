import { expect, test } from 'vitest';
import { openCorals } from '../corals';
import { visit } from '../visit';

const isCount = (body: string | null): boolean => body?.includes('query PeopleCount') ?? false;

test('the people of a resource show before they are counted, and stay in their places', async () => {
  await visit(async (page) => {
    const id = await openCorals(page);
    let count = (): void => undefined;
    let counts = 0;
    const mayCount = new Promise<void>((resolve) => {
      count = resolve;
    });
    await page.route('**/graphql', async (route) => {
      if (isCount(route.request().postData())) {
        counts += 1;
        await mayCount;
      }
      await route.continue();
    });
    await page.goto(`/resources/${id}/people`);
    const table = page.getByRole('table', { name: 'People with access' });
    const next = page.getByRole('button', { name: 'Next page' });
    await next.waitFor();
    await page.waitForLoadState('domcontentloaded');
    const total = page.getByRole('status').filter({ hasText: /entr/ });
    expect(await total.count()).toBe(0);
    const places = [await table.boundingBox(), await next.boundingBox()];

    count();
    await total.waitFor();
    expect([await table.boundingBox(), await next.boundingBox()]).toEqual(places);
    expect(counts).toBe(1);
  });
});
