// Marks over the timeline at the worst frames of the rung that the page is about; each opens the A/B player there.
const marks = document.getElementById('marks');
const worstOf = (place) => [...document.querySelectorAll(`.rung-worst[data-rung="${place}"] a[data-frame]`)].map((link) => +link.dataset.frame);

function markWorst() {
  marks.replaceChildren();
  for (const frame of worstOf(state.about).sort((one, other) => one - other)) {
    const mark = make('button', {}, marks);
    mark.type = 'button';
    mark.dataset.frame = frame;
    mark.title = `Frame ${frame}, VMAF ${rungs[state.about].scores[frame].toFixed(1)}`;
    mark.setAttribute('aria-label', `Worst frame ${frame} of ${rungs[state.about].name}, VMAF ${rungs[state.about].scores[frame].toFixed(1)}`);
    mark.addEventListener('click', () => { goTo(frame); compare(frame); });
  }
  placeMarks();
}

function placeMarks() {
  for (const mark of marks.children) {
    const x = across(times[+mark.dataset.frame], state.view) / 10;
    mark.hidden = x < 0 || x > 100;
    mark.style.left = `${x}%`;
  }
}
