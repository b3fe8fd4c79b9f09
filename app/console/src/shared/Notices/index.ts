export { useNotify } from './context';
export { Notices } from './Notices';
