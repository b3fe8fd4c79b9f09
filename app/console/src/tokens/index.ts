export { UserTokens } from './UserTokens';
