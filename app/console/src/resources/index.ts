export { HeadFields } from './fragments';
export { ResourceFrame } from './ResourceFrame';
