export { AccessPanel } from './AccessPanel';
export { PanelFields, RoleInfoFields } from './fragments';
export type { RoleInfo } from './fragments';
export { labelsOf } from './roles';
export { RoleSwitches } from './RoleSwitches';
export { isOrgOwner, sourceText, wayText } from './sources';
