// Time by state as one bar.

import { CLASS_TITLE } from '../../base/palette';
import { duration } from '../../base/time';
import type { ByClass } from '../../model/answers';
import { classIndex } from '../../model/select';

export function States({ by, total }: { by: ByClass; total: number }): preact.JSX.Element {
	const list = Object.entries(by).map(([name, ns]) => [classIndex(name), ns] as const).filter(([, ns]) => ns > 0).sort((x, y) => y[1] - x[1]);
	const text = list.map(([c, ns]) => `${CLASS_TITLE[c]} ${duration(ns)}`).join(', ');
	return <span class="states" role="img" aria-label={text} title={text}>{list.map(([c, ns]) => <i key={c} class={`k${c}`} style={{ width: `${total > 0 ? (ns / total) * 100 : 0}%` }} />)}</span>;
}
