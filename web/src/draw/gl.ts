// The WebGL2 painter: every run is one instanced quad; its colour is mixed, in linear light, in the vertex shader.
// A tile is uploaded once; panning, zooming and changing the theme only change uniforms.

import { HEIGHT, shadeOf, STACK_ORDER, toLinear, LIGHT, type Rgb, type Theme } from '../base/palette';
import { NO_REF, type Tile } from '../base/tile';
import type { StoredTile } from '../model/tiles';
import { bandsOf, FADE, FADE_MAX, FOLDED_MIX, HATCH_PITCH, HATCH_STRIPE, MIN_COVER, SHADE, STRIP_MIN_W, type Painter, type TileBox } from './painter';

const stride = 24; // bytes of a run: x0, x1 (f32), kind, cls, marks, flags (u8), share (u8 x 8), shade (i8), padding

const common = `#version 300 es
precision highp float;
precision highp int;
uniform vec2 u_res;
uniform float u_dpr;
`;

const tileHead = `${common}
uniform vec4 u_box;   // y, h, clip0, clip1; device px
uniform vec4 u_bands; // top, bottom of the state band from y, height of the band of marks, enlargement of a stack
uniform vec4 u_solid; // linear colour, 1: draw that
`;

const tileVertex = `${tileHead}
layout(location = 0) in vec2 a_x;
layout(location = 1) in uvec4 a_meta;
layout(location = 2) in vec4 a_sa;
layout(location = 3) in vec4 a_sb;
layout(location = 4) in float a_shade;
uniform vec2 u_map; // base, scale
uniform vec3 u_state[9];
uniform float u_height[9];
uniform vec3 u_bg;
flat out uvec4 v_meta;
flat out vec4 v_sa, v_sb;
flat out vec4 v_edge;  // left, right as drawn; left, right of the whole run
flat out vec4 v_paint; // rgb, height of the band
vec3 srgb(vec3 c) {
	return mix(c * 12.92, 1.055 * pow(max(c, vec3(0.0)), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}
void main() {
	float L = u_map.x + a_x.x * u_map.y;
	float R = u_map.x + a_x.y * u_map.y;
	float l = floor(clamp(L, u_box.z, u_box.w) + 0.5);
	float r = floor(clamp(R, u_box.z, u_box.w) + 0.5);
	if (r - l < 1.0) r = l + 1.0;
	if (a_meta.x == 0u && r - l >= 3.0 * u_dpr && R <= u_box.w + 0.01) r -= floor(u_dpr);
	bool out_of_it = R <= u_box.z || L >= u_box.w;
	vec3 c;
	float height;
	if (u_solid.w > 0.0) {
		c = u_solid.rgb;
		height = 1.0;
	} else if (a_meta.x == 1u) {
		float s[8] = float[8](a_sa.x, a_sa.y, a_sa.z, a_sa.w, a_sb.x, a_sb.y, a_sb.z, a_sb.w);
		float sum = 0.0;
		c = vec3(0.0);
		height = 0.0;
		for (int k = 0; k < 8; k++) {
			sum += s[k];
			c += s[k] * u_state[k + 1];
			height += s[k] * u_height[k + 1];
		}
		height = sum > 0.0 ? height / sum : 0.0;
		c = sum > 0.0 ? c / sum : u_state[a_meta.y];
		height = sum > 0.0 ? height : u_height[a_meta.y];
		c = mix(u_bg, c, clamp(sum, ${MIN_COVER.toFixed(3)}, 1.0));
	} else {
		c = u_state[a_meta.y] * (1.0 + ${SHADE.toFixed(3)} * a_shade);
		height = u_height[a_meta.y];
		if (a_meta.x == 2u) c = mix(u_bg, c, ${FOLDED_MIX.toFixed(3)});
	}
	v_meta = a_meta;
	v_sa = a_sa;
	v_sb = a_sb;
	v_edge = vec4(l, r, L, R);
	v_paint = vec4(srgb(clamp(c, 0.0, 1.0)), max(u_dpr, floor((u_bands.y - u_bands.x) * height + 0.5)));
	vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
	vec2 at = vec2(mix(l, r, corner.x), u_box.x + u_box.y * corner.y);
	vec2 clip = at / u_res * 2.0 - 1.0;
	gl_Position = out_of_it ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(clip.x, -clip.y, 0.0, 1.0);
}
`;

const tileFragment = `${tileHead}
flat in uvec4 v_meta;
flat in vec4 v_sa, v_sb;
flat in vec4 v_edge;
flat in vec4 v_paint;
uniform vec3 u_flat[9];  // sRGB of the classes
uniform vec3 u_mark[4];  // STW, assist, log, sample
out vec4 o;
const int order[8] = int[8](${STACK_ORDER.map(c => c - 1).join(', ')});
float share(int k) { return k < 4 ? v_sa[k] : v_sb[k - 4]; }
void main() {
	float x = gl_FragCoord.x;
	float y = u_res.y - gl_FragCoord.y - u_box.x;
	if (u_bands.w > 0.0) {
		float up = u_box.y - u_dpr - y;
		float full = u_box.y - 3.0 * u_dpr;
		if (up < 0.0 || up > full) discard;
		float sum = 0.0;
		for (int k = 0; k < 8; k++) {
			sum += share(order[k]) * u_bands.w * full;
			if (up < sum) {
				o = vec4(u_flat[order[k] + 1], 1.0);
				return;
			}
		}
		if (sum > 0.0 && up < u_dpr) {
			o = vec4(u_flat[v_meta.y], 1.0);
			return;
		}
		discard;
	}
	if (y >= u_bands.y) {
		if (v_meta.z == 0u || y >= u_bands.y + u_bands.z) discard;
		int m = (v_meta.z & 1u) != 0u ? 0 : (v_meta.z & 2u) != 0u ? 1 : (v_meta.z & 4u) != 0u ? 2 : 3;
		bool wide = v_edge.y - v_edge.x > 8.0 * u_dpr;
		if (wide && y < u_bands.y + u_bands.z - u_dpr) discard;
		o = vec4(u_mark[m], wide ? 0.75 : 1.0);
		return;
	}
	float w = v_edge.y - v_edge.x;
	float top = u_bands.y - v_paint.w;
	if (y < top) discard;
	vec3 c = v_paint.rgb;
	float alpha = 1.0;
	bool tall = v_paint.w >= 7.0 * u_dpr;
	if (u_solid.w > 0.0) {
		if (u_solid.w > 1.5 && w >= 4.0 * u_dpr && mod(x + y, ${HATCH_PITCH.toFixed(1)} * u_dpr) < ${HATCH_STRIPE.toFixed(1)} * u_dpr)
			c = mix(c, vec3(1.0), 0.3);
	} else if (v_meta.x == 1u) {
		if (w >= ${STRIP_MIN_W.toFixed(1)} * u_dpr && tall && y >= u_bands.y - 2.0 * u_dpr) {
			float total = dot(v_sa, vec4(1.0)) + dot(v_sb, vec4(1.0));
			float at = (x - v_edge.x) / w * total;
			float sum = 0.0;
			for (int k = 0; k < 8; k++) {
				sum += share(order[k]);
				if (at < sum) {
					c = u_flat[order[k] + 1];
					break;
				}
			}
		}
	} else {
		if (v_meta.y == 8u && w >= 4.0 * u_dpr && mod(x + y, ${HATCH_PITCH.toFixed(1)} * u_dpr) < ${HATCH_STRIPE.toFixed(1)} * u_dpr)
			c = mix(c, vec3(1.0), 0.3);
		if (v_meta.y == 4u && tall && y < top + u_dpr && mod(floor(x / (2.0 * u_dpr)), 2.0) == 0.0)
			discard;
		if (v_meta.x == 2u && w >= 6.0 * u_dpr && tall && y - top < abs(mod(x - v_edge.x, 6.0 * u_dpr) - 3.0 * u_dpr))
			discard;
		if (v_meta.x == 0u && w >= 6.0 * u_dpr && tall
			&& ((x - v_edge.x < 1.0 && v_edge.z >= u_box.z - 0.5) || (v_edge.y - x < 1.0 && v_edge.w <= u_box.w + 0.5) || y - top < 1.0 || u_bands.y - y < 1.0))
			c *= 0.82;
		float f = max(min((v_edge.w - v_edge.z) * ${FADE.toFixed(3)}, ${FADE_MAX.toFixed(1)} * u_dpr), 1.0);
		if ((v_meta.w & 1u) != 0u) alpha *= mix(0.25, 1.0, clamp((x - v_edge.z) / f, 0.0, 1.0));
		if ((v_meta.w & 2u) != 0u) alpha *= mix(0.25, 1.0, clamp((v_edge.w - x) / f, 0.0, 1.0));
	}
	o = vec4(c, alpha);
}
`;

const rectVertex = `${common}
layout(location = 0) in vec4 a_box; // x, y, w, h in device px
layout(location = 1) in vec4 a_color;
flat out vec4 v_color;
void main() {
	vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
	vec2 lo = floor(a_box.xy + 0.5);
	vec2 hi = max(floor(a_box.xy + a_box.zw + 0.5), lo + 1.0);
	vec2 clip = mix(lo, hi, corner) / u_res * 2.0 - 1.0;
	v_color = a_color;
	gl_Position = vec4(clip.x, -clip.y, 0.0, 1.0);
}
`;

const rectFragment = `${common}
flat in vec4 v_color;
out vec4 o;
void main() { o = v_color; }
`;

/** Asks how it went only at the end: each question waits for the graphics process. */
function program(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
	const p = gl.createProgram();
	const shaders = ([[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const).map(([type, text]) => {
		const s = gl.createShader(type)!;
		gl.shaderSource(s, text);
		gl.compileShader(s);
		gl.attachShader(p, s);
		return s;
	});
	gl.linkProgram(p);
	if (!gl.getProgramParameter(p, gl.LINK_STATUS) && !gl.isContextLost())
		throw new Error(`program: ${[gl.getProgramInfoLog(p), ...shaders.map(s => gl.getShaderInfoLog(s))].filter(Boolean).join('; ')}`);
	return p;
}

/** A tile's columns as interleaved instances. */
export function instances(t: Tile): ArrayBuffer {
	const buf = new ArrayBuffer(t.n * stride);
	const f = new Float32Array(buf);
	const b = new Uint8Array(buf);
	for (let r = 0; r < t.n; r++) {
		const at = r * stride;
		f[at / 4] = t.x0[r]!;
		f[at / 4 + 1] = t.x1[r]!;
		b[at + 8] = t.kind[r]!;
		b[at + 9] = t.cls[r]!;
		b[at + 10] = t.marks[r]!;
		b[at + 11] = t.flags[r]!;
		b.set(t.share.subarray(8 * r, 8 * r + 8), at + 12);
		b[at + 20] = t.ref[r] === NO_REF ? 0 : Math.round(shadeOf(t.ref[r]!) * 127) & 255;
	}
	return buf;
}

interface GpuTile {
	readonly vao: WebGLVertexArrayObject;
	readonly buffer: WebGLBuffer;
}

/** null when there is no WebGL2.  `lost` and `restored` tell when the context goes and comes back. */
export function glPainter(canvas: HTMLCanvasElement, lost: () => void, restored: () => void): Painter | null {
	const gl = canvas.getContext('webgl2', { alpha: false, antialias: false, depth: false, stencil: false });
	if (!gl)
		return null;
	const p = new GlPainter(gl);
	canvas.addEventListener('webglcontextlost', e => {
		e.preventDefault();
		lost();
	});
	canvas.addEventListener('webglcontextrestored', () => {
		p.setup();
		restored();
	});
	return p;
}

/** Makes a painter and throws it away: the browser starts its graphics and keeps the compiled programs, so that the first
 * picture need not wait for either. */
export function warmGl(): void {
	const canvas = document.createElement('canvas');
	const p = glPainter(canvas, () => undefined, () => undefined);
	if (!p)
		return;
	p.resize(16, 16, 1);
	p.begin(LIGHT);
	p.rect(0, 0, 8, 8, LIGHT.bg);
	p.end();
	canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context')?.loseContext();
}

class GlPainter implements Painter {
	readonly name = 'webgl2';
	#tiles!: WebGLProgram;
	#rects!: WebGLProgram;
	#at: Record<string, WebGLUniformLocation | null> = {};
	#rectVao!: WebGLVertexArrayObject;
	#rectBuffer!: WebGLBuffer;
	#rectData = new ArrayBuffer(20 * 256);
	#rectCount = 0;
	#width = 1;
	#height = 1;
	#dpr = 1;
	#current: 'tiles' | 'rects' | '' = '';

	constructor(private readonly gl: WebGL2RenderingContext) {
		this.setup();
	}

	setup(): void {
		const gl = this.gl;
		if (gl.isContextLost())
			return;
		this.#tiles = program(gl, tileVertex, tileFragment);
		this.#rects = program(gl, rectVertex, rectFragment);
		this.#at = {};
		for (const [p, names] of [
			[this.#tiles, ['u_res', 'u_dpr', 'u_box', 'u_bands', 'u_map', 'u_state', 'u_height', 'u_bg', 'u_flat', 'u_mark', 'u_solid']],
			[this.#rects, ['u_res']],
		] as const)
			for (const n of names)
				this.#at[(p === this.#rects ? 'rect.' : '') + n] = gl.getUniformLocation(p, n);
		this.#rectVao = gl.createVertexArray();
		this.#rectBuffer = gl.createBuffer();
		gl.bindVertexArray(this.#rectVao);
		gl.bindBuffer(gl.ARRAY_BUFFER, this.#rectBuffer);
		gl.enableVertexAttribArray(0);
		gl.vertexAttribPointer(0, 4, gl.FLOAT, false, 20, 0);
		gl.vertexAttribDivisor(0, 1);
		gl.enableVertexAttribArray(1);
		gl.vertexAttribPointer(1, 4, gl.UNSIGNED_BYTE, true, 20, 16);
		gl.vertexAttribDivisor(1, 1);
		gl.bindVertexArray(null);
		gl.enable(gl.BLEND);
		gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE);
	}

	resize(width: number, height: number, dpr: number): void {
		this.#width = Math.max(1, Math.round(width * dpr));
		this.#height = Math.max(1, Math.round(height * dpr));
		this.#dpr = dpr;
		const c = this.gl.canvas as HTMLCanvasElement;
		if (c.width !== this.#width || c.height !== this.#height) {
			c.width = this.#width;
			c.height = this.#height;
		}
	}

	begin(theme: Theme): void {
		const gl = this.gl;
		gl.viewport(0, 0, this.#width, this.#height);
		gl.clearColor(theme.bg[0] / 255, theme.bg[1] / 255, theme.bg[2] / 255, 1);
		gl.clear(gl.COLOR_BUFFER_BIT);
		gl.useProgram(this.#tiles);
		gl.uniform2f(this.#at['u_res']!, this.#width, this.#height);
		gl.uniform1f(this.#at['u_dpr']!, this.#dpr);
		gl.uniform3fv(this.#at['u_state']!, theme.state.flatMap(c => c.map(toLinear)));
		gl.uniform3fv(this.#at['u_flat']!, theme.state.flatMap(c => c.map(v => v / 255)));
		gl.uniform3fv(this.#at['u_bg']!, theme.bg.map(toLinear));
		gl.uniform1fv(this.#at['u_height']!, HEIGHT as number[]);
		gl.uniform3fv(this.#at['u_mark']!, [theme.stw, theme.assist, theme.log, theme.sample].flatMap(c => c.map(v => v / 255)));
		this.#current = 'tiles';
		this.#rectCount = 0;
	}

	rect(x: number, y: number, w: number, h: number, color: Rgb, alpha = 1): void {
		if (20 * (this.#rectCount + 1) > this.#rectData.byteLength) {
			const bigger = new ArrayBuffer(2 * this.#rectData.byteLength);
			new Uint8Array(bigger).set(new Uint8Array(this.#rectData));
			this.#rectData = bigger;
		}
		const at = 20 * this.#rectCount++;
		const d = this.#dpr;
		new Float32Array(this.#rectData, at, 4).set([x * d, y * d, w * d, h * d]);
		new Uint8Array(this.#rectData, at + 16, 4).set([color[0], color[1], color[2], Math.round(alpha * 255)]);
	}

	#flush(): void {
		if (this.#rectCount === 0)
			return;
		const gl = this.gl;
		gl.useProgram(this.#rects);
		this.#current = 'rects';
		gl.uniform2f(this.#at['rect.u_res']!, this.#width, this.#height);
		gl.bindVertexArray(this.#rectVao);
		gl.bindBuffer(gl.ARRAY_BUFFER, this.#rectBuffer);
		gl.bufferData(gl.ARRAY_BUFFER, new Uint8Array(this.#rectData, 0, 20 * this.#rectCount), gl.STREAM_DRAW);
		gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.#rectCount);
		this.#rectCount = 0;
	}

	tile(t: StoredTile, box: TileBox): void {
		if (t.tile.n === 0)
			return;
		this.#flush();
		const gl = this.gl;
		if (this.#current !== 'tiles') {
			gl.useProgram(this.#tiles);
			this.#current = 'tiles';
		}
		const g = (t.gpu ??= this.#upload(t.tile)) as GpuTile;
		const d = this.#dpr;
		const b = bandsOf(box.h);
		gl.bindVertexArray(g.vao);
		gl.uniform4f(this.#at['u_box']!, Math.round(box.y * d), Math.round(box.h * d), Math.round(box.clip0 * d), Math.round(box.clip1 * d));
		gl.uniform4f(this.#at['u_bands']!, b.top * d, Math.round(b.bottom * d), Math.round(b.mark * d), box.stack);
		gl.uniform2f(this.#at['u_map']!, box.base * d, box.scale * d);
		if (box.solid)
			gl.uniform4f(this.#at['u_solid']!, toLinear(box.solid[0]), toLinear(box.solid[1]), toLinear(box.solid[2]), t.lane === 'gc' ? 2 : 1);
		else
			gl.uniform4f(this.#at['u_solid']!, 0, 0, 0, 0);
		gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, t.tile.n);
	}

	#upload(t: Tile): GpuTile {
		const gl = this.gl;
		const vao = gl.createVertexArray();
		const buffer = gl.createBuffer();
		gl.bindVertexArray(vao);
		gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
		gl.bufferData(gl.ARRAY_BUFFER, instances(t), gl.STATIC_DRAW);
		gl.vertexAttribPointer(0, 2, gl.FLOAT, false, stride, 0);
		gl.vertexAttribIPointer(1, 4, gl.UNSIGNED_BYTE, stride, 8);
		gl.vertexAttribPointer(2, 4, gl.UNSIGNED_BYTE, true, stride, 12);
		gl.vertexAttribPointer(3, 4, gl.UNSIGNED_BYTE, true, stride, 16);
		gl.vertexAttribPointer(4, 1, gl.BYTE, true, stride, 20);
		for (let i = 0; i < 5; i++) {
			gl.enableVertexAttribArray(i);
			gl.vertexAttribDivisor(i, 1);
		}
		return { vao, buffer };
	}

	end(): void {
		this.#flush();
		this.gl.bindVertexArray(null);
	}

	free(t: StoredTile): void {
		const g = t.gpu as GpuTile | undefined;
		if (!g)
			return;
		this.gl.deleteVertexArray(g.vao);
		this.gl.deleteBuffer(g.buffer);
		t.gpu = undefined;
	}
}
