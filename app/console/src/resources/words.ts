export const words = {
  title: 'Resources',
  one: 'Resource',
  pages: 'Pages of this resource',
  overview: 'Overview',
  settings: 'Settings',
  people: 'People',
  history: 'History',
  accessControl: 'Access Control',
  administratorsOnly: 'Only administrators of this resource can see its settings.',
  missing: 'This resource is not there, or not visible to you.',
};
