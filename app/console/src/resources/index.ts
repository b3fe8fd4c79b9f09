export { CreateResourceIn } from './CreateResource';
export { HeadFields } from './fragments';
export { ResourceFrame } from './ResourceFrame';
