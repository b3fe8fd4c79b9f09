import { phrase } from '../shared';
export const words = {
  title: 'Sign in',
  userName: 'User name',
  password: 'Password',
  signIn: 'Sign in',
  overTitle: 'Sign in again',
  over: 'Your session has ended. What you typed is still here. Sign in to go on.',
  overAs: (name: string) => phrase`If you sign in as somebody other than ${name}, it is dropped.`,
  signOut: 'Sign out',
  signOutTitle: 'Sign out?',
  signOutText: 'You sign out in this browser, in all its tabs.',
  unsaved: 'What you changed on this page is not saved. It is lost.',
};
