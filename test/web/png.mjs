// Reads the PNG files that the browser takes: 8 bits a channel, RGB or RGBA, not interlaced.
import { inflateSync } from 'node:zlib';

export function readPng(buf) {
	if (buf.readUInt32BE(0) !== 0x89504e47)
		throw new Error('no PNG');
	let width = 0;
	let height = 0;
	let channels = 0;
	const data = [];
	for (let at = 8; at < buf.length;) {
		const n = buf.readUInt32BE(at);
		const type = buf.toString('latin1', at + 4, at + 8);
		const body = buf.subarray(at + 8, at + 8 + n);
		if (type === 'IHDR') {
			width = body.readUInt32BE(0);
			height = body.readUInt32BE(4);
			channels = body[9] === 6 ? 4 : body[9] === 2 ? 3 : 0;
			if (body[8] !== 8 || channels === 0 || body[12] !== 0)
				throw new Error('a kind of PNG that is not expected here');
		} else if (type === 'IDAT')
			data.push(body);
		at += 12 + n;
	}
	const raw = inflateSync(Buffer.concat(data));
	const stride = width * channels;
	const px = Buffer.alloc(stride * height);
	for (let y = 0; y < height; y++) {
		const filter = raw[y * (stride + 1)];
		for (let x = 0; x < stride; x++) {
			const v = raw[y * (stride + 1) + 1 + x];
			const a = x >= channels ? px[y * stride + x - channels] : 0;
			const b = y > 0 ? px[(y - 1) * stride + x] : 0;
			const c = x >= channels && y > 0 ? px[(y - 1) * stride + x - channels] : 0;
			let p = 0;
			if (filter === 1)
				p = a;
			else if (filter === 2)
				p = b;
			else if (filter === 3)
				p = (a + b) >> 1;
			else if (filter === 4) {
				const e = a + b - c;
				const da = Math.abs(e - a);
				const db = Math.abs(e - b);
				const dc = Math.abs(e - c);
				p = da <= db && da <= dc ? a : db <= dc ? b : c;
			}
			px[y * stride + x] = (v + p) & 255;
		}
	}
	return { width, height, at: (x, y) => [...px.subarray(y * stride + x * channels, y * stride + x * channels + 3)] };
}
