export { Loaded, Waiting } from './Loaded';
export { Missing } from './Missing';
export { Page } from './Page';
