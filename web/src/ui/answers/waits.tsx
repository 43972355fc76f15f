// What a blocked goroutine waits for: the channel or lock, who holds it, and whom that one waits for.

import { duration, grouped } from '../../base/time';
import { question, type Waited, type WaitObject, type Waiting, type WaitsFor } from '../../model/answers';
import * as s from '../../model/state';
import { finest, Func, LaneLink, TimeLink } from '../facts';
import { useAnswer } from './scope';

/** As weft waits says it: by the name that the program gave it, else by its address; descriptors by their number, too. */
export function nameOf(o: WaitObject): string {
	const name = o.name ? `'${o.name}'` : '';
	return o.number === undefined ? `${o.kind} ${name || o.id}` : `${o.kind} ${o.number} ${name}`.trim();
}

/** How full a channel was when the wait began. */
function fullness(o: WaitObject): string {
	if (o.capacity === undefined)
		return '';
	if (o.capacity === 0)
		return o.waits_to === 'send' ? ', unbuffered: nobody receives' : ', unbuffered: nobody sends';
	return o.waits_to === 'send' ? `, full (${o.capacity} of ${o.capacity})` : `, empty (0 of ${o.capacity})`;
}

/** For the list of facts about a span: nothing where the trace does not say. */
export function WaitFacts({ g, t }: { g: number; t: number }): preact.JSX.Element | null {
	const path = s.info.value?.names_objects ? question('waits', { g, t: Math.floor(t) }) : null;
	const { value, error } = useAnswer<WaitsFor>(path);
	const own = value?.waiting[0];
	if (error)
		return <><dt>Waits for</dt><dd class="trouble-text">{error}</dd></>;
	if (!value || !own || own.g !== g || own.objects.length === 0)
		return null;
	return (
		<>
			<dt>Waits for</dt>
			<dd>
				{own.objects.map((o, i) => <div key={o.id}>{i > 0 && 'or '}<b>{nameOf(o)}</b>{fullness(o)}</div>)}
				{own.objects.length === 1 && value.objects[0] && <Past o={value.objects[0]} />}
			</dd>
			{own.holder !== null && <><dt>Held by</dt><dd><Chain list={value.waiting} t={t} /></dd></>}
		</>
	);
}

/** The same in a line, for what is under the mouse. */
export function WaitLine({ g, t }: { g: number; t: number }): preact.JSX.Element | null {
	const own = useAnswer<WaitsFor>(question('waits', { g, t: Math.floor(t) })).value?.waiting[0];
	if (!own || own.g !== g || own.objects.length === 0)
		return null;
	const held = own.holder === null ? '' : `, held by g${own.holder}`;
	return <div>for <b>{own.objects.map(o => nameOf(o) + fullness(o)).join(' or ')}</b>{held}</div>;
}

/** Who holds it, and whom each of them waits for. */
function Chain({ list, t }: { list: readonly Waiting[]; t: number }): preact.JSX.Element {
	return (
		<ul class="chain">
			{list.filter(w => w.holder !== null).map((w, i) => {
				const next = list[i + 1];
				return (
					<li key={w.g}>
						<LaneLink lane={`g${w.holder}`} text={`g${w.holder}`} t={t} select />
						{next ? <> <Func name={next.name} />, which waits for {next.objects.map(nameOf).join(' or ') || 'something'}{next.holder !== null && ' held by'}</>
							: w.cycle > 0 ? <strong class="warn"> <span aria-hidden="true">⟲ </span>a deadlock: that closes the circle</strong>
								: w.holder_state && <span class="dim"> {w.holder_state.toLowerCase()} then</span>}
					</li>
				);
			})}
		</ul>
	);
}

function Past({ o }: { o: Waited }): preact.JSX.Element {
	const full = o.n_full !== undefined && o.n_full > 0 && o.n_full < o.n ? `, ${grouped(o.n_full)} of them because it was full` : '';
	return (
		<div class="dim">
			waited for {o.n === 1 ? 'once' : `${grouped(o.n)} times`} in the trace{full}, {duration(o.ns)} together; the longest {duration(o.longest_ns)}{' '}
			{o.longest_g !== null && <>by <LaneLink lane={`g${o.longest_g}`} text={`g${o.longest_g}`} t={o.longest_at_ns} select /> at <TimeLink t={o.longest_at_ns} res={finest(o.longest_ns)} /></>}
			{o.waker !== null && <>; woken last by <LaneLink lane={`g${o.waker}`} text={`g${o.waker}`} /></>}
		</div>
	);
}
