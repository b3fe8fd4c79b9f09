import { phrase } from '../phrase';
export const words = {
  person: 'User name or email',
  personHint:
    'Type the exact name if the person is not suggested. An email address finds others if you may see all users.',
  noSuchName: (name: string) =>
    phrase`There is no user ${name}, or you may not see them. Check the spelling.`,
  noSuchEmail: (email: string) =>
    phrase`There is no user with the email address ${email}, or you may not see whose it is. Type the user name.`,
};
