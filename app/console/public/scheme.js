// Sets the colour scheme before the first paint, so that no page flashes in the wrong one.
(function () {
  var stored = null;
  try {
    stored = window.localStorage.getItem('ostiary-theme');
  } catch {
    stored = null; // a browser may refuse storage
  }
  var isDark =
    stored === 'dark' || (stored !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light');
})();
