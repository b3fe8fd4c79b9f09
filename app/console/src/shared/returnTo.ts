/** First segments of the addresses that the console serves. */
const PREFIXES = new Set([
  '',
  'account',
  'audit',
  'groups',
  'licenses',
  'organizations',
  'resources',
  'settings',
]);

/**
 * Return the path below the base to go to after the sign-in, with search and hash. Only an address of the console
 * itself is followed; everything else leads to `/`.
 */
export function returnPath(returnTo: string | undefined, base: string): string {
  if (returnTo === undefined || !URL.canParse(returnTo, base)) {
    return '/';
  }
  const root = new URL(base);
  const target = new URL(returnTo, root);
  if (target.origin !== root.origin || !target.pathname.startsWith(root.pathname)) {
    return '/';
  }
  const path = target.pathname.slice(root.pathname.length);
  const [first = ''] = path.split('/');
  return PREFIXES.has(first) && !path.startsWith('/') ? `/${path}${target.search}${target.hash}` : '/';
}
