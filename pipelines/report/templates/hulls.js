// The dots of the hulls: why a shot has its setting is read by pointing at one, or with the keyboard.
const dotsOfHulls = [...document.querySelectorAll('#hull-plot button.spot')];
const why = document.getElementById('why');
const hulls = [...document.querySelectorAll('#hull-plot .curve')];

function explain(dot) {
  why.textContent = dot.getAttribute('aria-label');
  for (const other of dotsOfHulls) {
    other.tabIndex = other === dot ? 0 : -1;
    other.classList.toggle('same', other.dataset.shot === dot.dataset.shot);
    other.classList.toggle('chosen', other === dot);
  }
  hulls.forEach((hull, shot) => hull.classList.toggle('chosen', shot === +dot.dataset.shot));
}

// The dot of a shot a step further on the same rung, or of a rung a step further in the same shot.
function besides(dot, shots, ranks) {
  const rungsOf = [...new Set(dotsOfHulls.map((one) => one.dataset.rung))];
  const rung = rungsOf[rungsOf.indexOf(dot.dataset.rung) + ranks];
  return dotsOfHulls.find((one) => +one.dataset.shot === +dot.dataset.shot + shots && one.dataset.rung === rung);
}

const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
dotsOfHulls.forEach((dot, place) => {
  dot.tabIndex = place ? -1 : 0;
  for (const name of ['pointerenter', 'focus', 'click']) dot.addEventListener(name, () => explain(dot));
  dot.addEventListener('keydown', (event) => {
    const next = event.key in steps ? besides(dot, ...steps[event.key]) : null;
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
});
