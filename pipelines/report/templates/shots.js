// Shots and worst frames: which rung they are about, and the way from them to the timeline.
const shotScores = rungs.map((rung) => data.shots.map(([start, end]) => {
  let sum = 0;
  for (let frame = start; frame < end; frame++) sum += rung.scores[frame];
  return sum / (end - start);
}));
const cards = [...document.querySelectorAll('.sheet li')];
const groups = [...document.querySelectorAll('.rung-worst')];

function choose(place) {
  state.about = place;
  markWorst();
  if (compareButton) {
    const [left, right] = JSON.parse(compareButton.dataset.places)[place];
    document.querySelectorAll('.sheet [data-ab]').forEach((button, shot) => { button.dataset.ab = `${data.shots[shot][0]} ${left} ${right}`; });
  }
  cards.forEach((card, shot) => {
    const score = card.querySelector('.score');
    score.style.setProperty('--q', heat(shotScores[place][shot]));
    score.firstElementChild.textContent = shotScores[place][shot].toFixed(1);
    strip.children[shot].style.setProperty('--q', heat(shotScores[place][shot]));
  });
  for (const group of groups) group.hidden = +group.dataset.rung !== place;
  document.querySelectorAll(`.choice input[value="${place}"]`).forEach((input) => { input.checked = true; });
}

document.querySelectorAll('.choice').forEach((fieldset) => {
  fieldset.hidden = false;
  fieldset.addEventListener('change', (event) => choose(+event.target.value));
});
cards.forEach((card, shot) => {
  const picture = card.querySelector('img');
  if (picture) strip.children[shot].style.backgroundImage = `url("${picture.src}")`;
  card.querySelector('a').addEventListener('click', () => { showShot(shot); quality.field.focus({ preventScroll: true }); });
});
document.querySelectorAll('a[data-frame]').forEach((link) => link.addEventListener('click', () => {
  const frame = +link.dataset.frame;
  showShot(shotOf(frame));
  goTo(frame);
  quality.field.focus({ preventScroll: true });
}));
choose(0);
