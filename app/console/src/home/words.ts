import { phrase } from '../shared';

export const words = {
  title: 'Home',
  welcome: (name: string) => phrase`You are signed in as ${name}.`,
  anonymous: 'You see what is public. Sign in to see what is yours.',
  myOrgs: 'My organizations',
  noOrgs: 'You belong to no organization.',
  publicOrgs: 'Public organizations',
  noPublicOrgs: 'There is no public organization.',
  mine: 'Resources that I have access to',
  noResources: 'There is no resource that you have access to.',
  publicResources: 'Public resources',
  noPublicResources: 'There is no public resource.',
  ending: 'Ends within 30 days',
  nothingEnding: 'Nothing of yours ends within 30 days.',
  access: (name: string) => phrase`Access to ${name}`,
  membership: (name: string) => phrase`Membership in ${name}`,
  storage: 'My storage',
  used: 'Used',
  changed: 'changed',
  all: 'Show all',
};
