import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import type { Permission } from './api';
import { Frame } from './frame/Frame';
import { NotFoundPage } from './frame/NotFoundPage';
import { PageFailed } from './frame/PageFailed';
import { parseSearch, stringifySearch } from './shared/address';
import type { AddressSearch } from './shared/address';

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    /** Who is not signed in is led to the sign-in, and back. */
    readonly needsSignIn?: boolean;
    /** The viewer needs at least one of them. Without, the page names them. It is signed-in users' alone. */
    readonly needsPermission?: readonly Permission[];
  }
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

const root = createRootRoute({
  component: Frame,
  notFoundComponent: NotFoundPage,
  validateSearch: (search: AddressSearch): AddressSearch => search,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./home/HomePage'), 'HomePage'),
});
const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: lazyRouteComponent(() => import('./session/LoginPage'), 'LoginPage'),
});
const licenses = createRoute({
  getParentRoute: () => root,
  path: '/licenses',
  component: lazyRouteComponent(() => import('./licenses/LicensesPage'), 'LicensesPage'),
});
const account = createRoute({
  getParentRoute: () => root,
  path: '/account',
  staticData: { needsSignIn: true },
  component: lazyRouteComponent(() => import('./account/AccountPage'), 'AccountPage'),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  beforeLoad: ({ location }) => {
    if (/\/settings\/?$/.test(location.pathname)) {
      throw redirect({ to: '/settings/users' });
    }
  },
});
const users = createRoute({
  getParentRoute: () => settings,
  path: '/users',
  staticData: { needsSignIn: true, needsPermission: ['USERS_VIEW', 'USERS_MANAGE'] },
  component: lazyRouteComponent(() => import('./users/UsersPage'), 'UsersPage'),
});
const user = createRoute({
  getParentRoute: () => settings,
  path: '/users/$userName',
  staticData: { needsSignIn: true, needsPermission: ['USERS_VIEW', 'USERS_MANAGE'] },
  component: lazyRouteComponent(() => import('./users/UserPage'), 'UserPage'),
});
const offBoard = createRoute({
  getParentRoute: () => settings,
  path: '/users/$userName/off-board',
  staticData: { needsSignIn: true, needsPermission: ['USERS_MANAGE'] },
  component: lazyRouteComponent(() => import('./users/OffBoardPage'), 'OffBoardPage'),
});
const roles = createRoute({
  getParentRoute: () => settings,
  path: '/roles',
  staticData: { needsSignIn: true },
  component: lazyRouteComponent(() => import('./roles/RolesPage'), 'RolesPage'),
});
const types = createRoute({
  getParentRoute: () => settings,
  path: '/types',
  staticData: { needsSignIn: true, needsPermission: ['RESOURCES_MANAGE'] },
  component: lazyRouteComponent(() => import('./roles/TypesPage'), 'TypesPage'),
});
const tokens = createRoute({
  getParentRoute: () => settings,
  path: '/tokens',
  staticData: { needsSignIn: true, needsPermission: ['USERS_VIEW', 'USERS_MANAGE'] },
  component: lazyRouteComponent(() => import('./tokens/TokensPage'), 'TokensPage'),
});
const orgs = createRoute({
  getParentRoute: () => root,
  path: '/organizations',
  component: lazyRouteComponent(() => import('./orgs/OrgsPage'), 'OrgsPage'),
});
const org = createRoute({
  getParentRoute: () => root,
  path: '/organizations/$slug',
  component: lazyRouteComponent(() => import('./orgs/OrgPage'), 'OrgPage'),
});
const groups = createRoute({
  getParentRoute: () => root,
  path: '/groups',
  staticData: { needsSignIn: true },
  component: lazyRouteComponent(() => import('./groups/GroupsPage'), 'GroupsPage'),
});
const group = createRoute({
  getParentRoute: () => root,
  path: '/groups/$slug',
  staticData: { needsSignIn: true },
  component: lazyRouteComponent(() => import('./groups/GroupPage'), 'GroupPage'),
});
const resources = createRoute({
  getParentRoute: () => root,
  path: '/resources',
  component: lazyRouteComponent(() => import('./resources/ResourcesPage'), 'ResourcesPage'),
});
const resource = createRoute({
  getParentRoute: () => root,
  path: '/resources/$id',
  component: lazyRouteComponent(() => import('./resources/ResourcePage'), 'ResourcePage'),
});
const resourceSettings = createRoute({
  getParentRoute: () => root,
  path: '/resources/$id/settings',
  staticData: { needsSignIn: true },
  component: lazyRouteComponent(() => import('./resources/ResourceSettingsPage'), 'ResourceSettingsPage'),
});
const people = createRoute({
  getParentRoute: () => root,
  path: '/resources/$id/people',
  staticData: { needsSignIn: true },
  component: lazyRouteComponent(() => import('./access/PeoplePage'), 'PeoplePage'),
});
const history = createRoute({
  getParentRoute: () => root,
  path: '/resources/$id/history',
  staticData: { needsSignIn: true },
  component: lazyRouteComponent(() => import('./access/HistoryPage'), 'HistoryPage'),
});
const resourceByPath = createRoute({
  getParentRoute: () => root,
  path: '/resources/$org/$slug',
  component: lazyRouteComponent(() => import('./resources/ResourceByPathPage'), 'ResourceByPathPage'),
});
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  staticData: { needsSignIn: true, needsPermission: ['AUDIT_VIEW'] },
  component: lazyRouteComponent(() => import('./audit/AuditPage'), 'AuditPage'),
});

const routeTree = root.addChildren([
  home,
  login,
  licenses,
  account,
  settings.addChildren([users, user, offBoard, roles, types, tokens]),
  orgs,
  org,
  groups,
  group,
  resources,
  resource,
  resourceSettings,
  people,
  history,
  resourceByPath,
  audit,
]);

/** The addresses of the console, below `<base href>`. */
export function makeRouter() {
  return createRouter({
    routeTree,
    basepath: new URL(document.baseURI).pathname,
    parseSearch,
    stringifySearch,
    defaultErrorComponent: PageFailed,
    // Another object is another page: nothing of the old one is shown.
    defaultRemountDeps: ({ params }) => params,
    defaultPreload: 'intent',
  });
}
