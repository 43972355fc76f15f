// On paper: light, at the size that the screen had, and with the lanes as one picture that stays - a WebGL canvas is
// empty when the browser has shown it, and Chromium's printed canvases cover what is beneath them.

import * as s from '../model/state';

/** Prints what is seen.  `draw` draws everything now: a browser that prints does not wait for a frame. */
export function bindPaper(host: HTMLElement, draw: () => void): () => void {
	const stage = host.closest<HTMLElement>('.stage')!;
	let picture: HTMLCanvasElement | undefined;
	const before = (): void => {
		stage.style.height = `${stage.clientHeight}px`;
		s.printing.value = true;
		draw();
		const layers = [...host.querySelectorAll('canvas')];
		const lanes = layers[0];
		if (!lanes || picture)
			return;
		picture = document.createElement('canvas');
		picture.width = lanes.width;
		picture.height = lanes.height;
		for (const layer of layers)
			picture.getContext('2d')?.drawImage(layer, 0, 0);
		host.append(picture);
	};
	const after = (): void => {
		picture?.remove();
		picture = undefined;
		stage.style.height = '';
		s.printing.value = false;
		draw();
	};
	const end = new AbortController();
	window.addEventListener('beforeprint', before, { signal: end.signal });
	window.addEventListener('afterprint', after, { signal: end.signal });
	return () => end.abort();
}
