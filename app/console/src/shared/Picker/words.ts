import { phrase } from '../phrase';
export const words = {
  person: 'User name or e-mail address',
  personHint:
    'Type the exact name if the person is not suggested. An e-mail address finds others if you may see all users.',
  noSuchName: (name: string) =>
    phrase`There is no user ${name}, or you may not see them. Check the spelling.`,
  noSuchEmail: (email: string) =>
    phrase`There is no user with the e-mail address ${email}, or you may not see whose it is. Type the user name.`,
};
