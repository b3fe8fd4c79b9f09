import { phrase } from '../shared';
export const words = {
  title: 'Licenses',
  intro: 'This console contains these packages.',
  failed: 'The list could not be read.',
  text: (name: string) => phrase`Text of the license of ${name}`,
  license: 'License',
};
