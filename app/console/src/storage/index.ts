export { OwnStorage } from './OwnStorage';
