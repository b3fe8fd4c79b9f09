export const words = {
  title: 'Licenses',
  intro: 'This console contains these packages.',
  failed: 'The list could not be read.',
  text: (name: string) => `Text of the license of ${name}`,
  license: 'License',
};
