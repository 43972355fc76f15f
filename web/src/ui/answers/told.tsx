// What the program says of itself: messages of trace.Log, regions and tasks, beside the span that they belong to.

import { grouped } from '../../base/time';
import { question, type LogLine, type RegionSeen, type Told } from '../../model/answers';
import type { Span } from '../../model/api';
import { finest, TimeLink } from '../facts';
import { useAnswer } from './scope';

const most = 20;

const long = 240;

/** Messages have no bound; who wants all of one has weft events. */
export function logText(l: LogLine): string {
	const text = `${l.category}${l.category && l.message && ': '}${l.message}` || '(an empty message)';
	return text.length > long ? `${text.slice(0, long)}…` : text;
}

const taskText = (t: { readonly task: number; readonly task_name: string }): string => (t.task === 0 ? '' : `task ${t.task}${t.task_name ? ` ${t.task_name}` : ''}`);

/** For the list of facts about a span of a goroutine: nothing where the program says nothing. */
export function ToldFacts({ span }: { span: Span }): preact.JSX.Element | null {
	const { value } = useAnswer<Told>(question('told', { g: span.g!, from: span.start_ns, to: span.end_ns + 1, n: most }));
	if (!value || value.n_logs + value.n_regions === 0)
		return null;
	return (
		<>
			{value.regions.length > 0 && <><dt>In region</dt><dd>{value.regions.map((r, i) => <Region key={i} r={r} />)}<More n={value.n_regions} /></dd></>}
			{value.logs.length > 0 && <><dt>Messages</dt><dd>{value.logs.map((l, i) => (
				<div key={i}><TimeLink t={l.time_ns} res={finest(span.end_ns - span.start_ns)} /> {logText(l)} <span class="dim">{taskText(l)}</span></div>))}<More n={value.n_logs} /></dd></>}
		</>
	);
}

function Region({ r }: { r: RegionSeen }): preact.JSX.Element {
	return <div>{r.name || '(of its creator)'} <span class="dim">{taskText(r)}</span></div>;
}

const More = ({ n }: { n: number }): preact.JSX.Element | null => (n > most ? <div class="dim">and {grouped(n - most)} more</div> : null);

/** The messages in a run that is under the mouse, the first few. */
export function LogLines({ g, from, to }: { g: number; from: number; to: number }): preact.JSX.Element | null {
	const { value } = useAnswer<Told>(question('told', { g, from: Math.floor(from), to: Math.ceil(to) + 1, n: 3 }));
	return value && <>{value.logs.map((l, i) => <div key={i}>“{logText(l)}”</div>)}{value.n_logs > 3 && <div class="dim">and {grouped(value.n_logs - 3)} more messages</div>}</>;
}
