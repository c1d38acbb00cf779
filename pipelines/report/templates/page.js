// The page as a whole: light and dark, copying the command.
const themeButton = document.getElementById('theme');
themeButton.hidden = false;
themeButton.addEventListener('click', () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
});
const copyButton = document.getElementById('copy');
if (copyButton && navigator.clipboard) {
  copyButton.hidden = false;
  copyButton.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.querySelector('.command code').textContent);
    copyButton.textContent = 'Copied';
  });
}
// The table of all shots is for paper, too.
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
