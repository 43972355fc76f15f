// A click on a frame makes it as wide as the graph; on the frame that is that wide already, the whole graph comes back.
for (const graph of document.querySelectorAll('.flame')) {
	const frames = [...graph.children].map((el) => ({ el, x: parseFloat(el.style.left), w: parseFloat(el.style.width), y: el.style.top }));
	const show = (on) => {
		for (const f of frames) {
			const inside = f.x >= on.x - 1e-6 && f.x + f.w <= on.x + on.w + 1e-6, around = f.x <= on.x + 1e-6 && f.x + f.w >= on.x + on.w - 1e-6;
			f.el.hidden = !inside && !(around && parseInt(f.y) <= parseInt(on.y));
			const x = inside ? (f.x - on.x) / on.w * 100 : 0, w = inside ? f.w / on.w * 100 : 100;
			f.el.style.left = x + '%';
			f.el.style.width = w + '%';
			f.el.textContent = w > 1.2 ? f.el.dataset.n : '';
		}
	};
	let now = frames[0];
	const zoom = (el) => {
		const f = frames.find((g) => g.el === el);
		if (f)
			show(now = f === now ? frames[0] : f);
	};
	graph.addEventListener('click', (e) => zoom(e.target));
	graph.addEventListener('keydown', (e) => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); zoom(e.target); } });
}
