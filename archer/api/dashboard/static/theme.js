// Light and dark, kept in this browser.
const root = document.documentElement;
const kept = localStorage.getItem('cinemill-theme');
if (kept === 'light' || kept === 'dark') root.dataset.theme = kept;
addEventListener('DOMContentLoaded', () => {
  const button = document.getElementById('theme');
  button.hidden = false;
  button.addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    localStorage.setItem('cinemill-theme', root.dataset.theme);
  });
});
