import { asAdmin, asInes, openExample, picture } from './picture';

picture(
  'sign-in',
  async (page) => {
    await page.goto('/login');
    await page.getByRole('main').getByLabel('User name').fill('ines');
  },
  { height: 560 },
);

picture('home', async (page) => {
  await asInes(page, '/');
  await page.getByRole('heading', { name: 'My organizations' }).waitFor();
});

picture('users', async (page) => {
  await asAdmin(page, '/settings/users');
  await page.getByRole('checkbox', { name: 'Select amara' }).check();
  await page.getByRole('checkbox', { name: 'Select beatriz' }).check();
  await page.getByText('2 rows selected').waitFor();
  await page.evaluate(() => window.scrollTo(0, 0));
});

picture('add-user', async (page) => {
  await asAdmin(page, '/settings/users');
  await page.getByRole('button', { name: 'Add User' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('User name').fill('nora');
  await dialog.getByLabel('Email').fill('nora.lind@example.org');
});

picture('roles', async (page) => {
  await asAdmin(page, '/settings/roles');
  await page.getByText('Sees everything and changes nothing.').waitFor();
});

picture('organization-members', async (page) => {
  await asInes(page, '/organizations/marine-science?tab=members');
  await page.getByRole('row').nth(5).waitFor();
});

picture('resource', async (page) => {
  await asInes(page, '/');
  await openExample(page, 'example-editors-write');
  await page.getByRole('heading', { name: 'What I may do and why' }).waitFor();
});

picture('lock', async (page) => {
  await asInes(page, '/');
  await openExample(page, 'example-locked', 'Settings');
  const lock = page.getByRole('region', { name: 'Lock', exact: true });
  await lock.getByRole('textbox', { name: 'Reason' }).fill('The season is over.');
  await lock.evaluate((element) => element.scrollIntoView({ block: 'center' }));
});

picture('check-person', async (page) => {
  await asInes(page, '/');
  await openExample(page, 'example-editors-write', 'People');
  const check = page.getByRole('region', { name: 'Check a person' });
  await check.getByRole('combobox', { name: 'User name' }).fill('luca');
  await check.getByRole('combobox', { name: 'Role' }).selectOption({ label: 'Dataset Data Write' });
  await check.getByRole('button', { name: 'Check' }).click();
  await check.getByText(/^luca has Dataset Data Write/).waitFor();
});

picture('off-board', async (page) => {
  await asAdmin(page, '/settings/users/elif/off-board');
  await page.getByRole('heading', { name: 'Owns 5 resources' }).waitFor();
});

picture('audit', async (page) => {
  await asAdmin(page, '/audit');
  await page.getByRole('row').nth(10).waitFor();
});

picture('graphiql', async (page) => {
  await asInes(page, '/');
  await page.goto('/graphql');
  await page.getByText('Signed in as ines.').waitFor();
  await page.getByRole('button', { name: 'Resources and what I may do' }).click();
  const answer = page.getByRole('region', { name: 'Answer' });
  const execute = page.getByRole('button', { name: /^Execute query/ });
  await execute.click();
  await answer.getByText(/statements/).waitFor();
  await execute.click();
  await answer.getByText('Executor: compiled').waitFor();
});
