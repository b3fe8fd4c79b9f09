export const words = {
  title: 'Storage',
  noQuota: 'You have no quota.',
  intro: 'The storage of a resource counts for the owner of its organization.',
  table: 'Resources that you own',
  name: 'Resource',
  org: 'Organization',
  size: 'Size',
  none: 'You own no resources.',
};
