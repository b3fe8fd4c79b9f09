export { EndsField } from './EndsField';
export { EndsText } from './EndsText';
