export { SignInForm } from './SignInForm';
export { SignInOver } from './SignInOver';
export { SignOutDialog } from './SignOutDialog';
