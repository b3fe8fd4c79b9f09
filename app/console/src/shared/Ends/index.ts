export { endInput, endText } from './ends';
export { EndsField } from './EndsField';
export { EndsText } from './EndsText';
