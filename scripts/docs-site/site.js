// The theme: as the system has it, until one is chosen.
const THEMES = ['light dark', 'light', 'dark']
const NAMES = ['Theme: system', 'Theme: light', 'Theme: dark']
const button = document.getElementById('theme')
let chosen = Math.max(0, THEMES.indexOf(localStorage.getItem('theme') ?? ''))

function show() {
  document.documentElement.style.colorScheme = THEMES[chosen]
  button.textContent = NAMES[chosen]
  button.hidden = false
}
button.addEventListener('click', () => {
  chosen = (chosen + 1) % THEMES.length
  localStorage.setItem('theme', THEMES[chosen])
  show()
})
show()

// The list of pages is open where there is place beside the text.
const menu = document.getElementById('menu')
const wide = matchMedia('(min-width: 60rem)')
const fit = () => (menu.open = wide.matches)
wide.addEventListener('change', fit)
fit()
