import { words } from './words';

/** The names of all mutations: the audit log calls an act by them, over REST as well. */
export const ACTIONS = [
  'addGroupMembers',
  'addOrgMember',
  'addOrgMembers',
  'addRoles',
  'assignRoles',
  'beginDownload',
  'beginUpload',
  'cancelUpload',
  'changePassword',
  'createApiToken',
  'createGroup',
  'createGroups',
  'createOrg',
  'createOrgs',
  'createResource',
  'createResourceType',
  'createResources',
  'createRole',
  'createServiceAccount',
  'createUser',
  'createUsers',
  'deactivateUser',
  'deleteGroup',
  'deleteGroups',
  'deleteOrg',
  'deleteResource',
  'deleteResources',
  'deleteRole',
  'deleteUser',
  'deleteUsers',
  'finishUpload',
  'grantAccess',
  'grantAccessBatch',
  'lockResource',
  'login',
  'logout',
  'mergeOrgs',
  'moveResources',
  'patchResourceMetadata',
  'patchUserMetadata',
  'reactivateUser',
  'refreshToken',
  'removeGroupMembers',
  'removeOrgMember',
  'removeOrgMembers',
  'removeRoles',
  'renameResource',
  'renameUser',
  'resetPassword',
  'revokeAccess',
  'revokeAccessBatch',
  'revokeApiToken',
  'setGroupManager',
  'setOrgQuota',
  'setUserMetadata',
  'signOutEverywhere',
  'submitAccess',
  'transferOrg',
  'transferResource',
  'unlockResource',
  'updateGroup',
  'updateGroupMember',
  'updateOrg',
  'updateOrgMember',
  'updateResource',
  'updateRole',
  'updateUser',
  'updateViewer',
] as const;

const DESCRIBED: ReadonlySet<string> = new Set([...ACTIONS, ...Object.keys(words.actions)]);

/** Acts whose names say less than the console does. */
const OWN_WORDS: ReadonlyMap<string, string> = new Map(Object.entries(words.actions));
const OWN_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(words.actions).map(([name, text]) => [text.toLowerCase(), name]),
);

/** Return the name of an act in words: `createUser` is "Create user". */
export function actionWords(action: string): string {
  const own = OWN_WORDS.get(action);
  if (own !== undefined) {
    return own;
  }
  const text = action
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/\bapi\b/, 'API');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Return the name of an act that was typed as words or as its name. */
export function actionName(text: string): string {
  const own = OWN_NAMES.get(text.trim().toLowerCase());
  if (own !== undefined) {
    return own;
  }
  const [first = '', ...rest] = text.trim().split(/\s+/);
  const tail = rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());
  return first.charAt(0).toLowerCase() + first.slice(1) + tail.join('');
}

/** Return the condition on the act: one that is known exactly, otherwise all that begin so. */
export function actionFilter(text: string): { eq: string } | { startsWith: string } {
  const name = actionName(text);
  return DESCRIBED.has(name) ? { eq: name } : { startsWith: name };
}
