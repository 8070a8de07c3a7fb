import type { FastifyReply } from 'fastify';
import { isUuid } from '../kernel/id.ts';
import type { Access, DeviceRow } from '../sessions/sessions.ts';
import { endDevice } from '../signin/end-device.ts';
import { logout } from '../signin/logout.ts';
import { html, type Html } from '../web/html.ts';
import { fieldOf, formOf, noticeBox, problemBox } from './components.ts';
import { textOf, trimmedOf } from './context.ts';
import { sendPage } from './layout.ts';
import { fieldProblems, type Problem } from './problems.ts';
import { askProof } from './prove.ts';
import { tell } from './tell.ts';
import { goTo, leave, leaveNotice, pathTo, takeNotice, type Visit } from './visit.ts';
import { counted, fillHtml } from './words.ts';

const LONGEST_NAME = 100;
// Control characters and direction marks would disguise a name in the list.
// oxlint-disable-next-line no-control-regex -- they are what is refused
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** GET /account/devices */
export async function showDevices(visit: Visit, access: Access, problem?: Problem): Promise<FastifyReply> {
  const { words, locale } = visit;
  const devices = await visit.context.signIn.sessions.devices(access);
  const isCurrent = (device: DeviceRow): boolean => device.session_ids.includes(access.sessionId);
  const sorted = [...devices.filter(isCurrent), ...devices.filter((device) => !isCurrent(device))];
  const others = sorted.length - 1;
  const notice = takeNotice(visit);
  const told =
    notice === 'ended' ? words.devices.ended : notice === 'renamed' ? words.devices.renamed : undefined;
  const endOthers = formOf(
    visit,
    pathTo(visit, '/account/devices'),
    { action: 'end_others' },
    html`<button class="button danger small" type="submit">${words.devices.endOthers}</button>`,
    'row',
  );
  const body = html`<div class="sections"><div class="lead"><h1>${words.devices.title}</h1><p class="soft">${words.devices.lead}</p></div>${told !== undefined && noticeBox(told)}${problemBox(problem)}
<section class="sheet"><ul class="entries">${sorted.map((device) => entryOf(visit, device, isCurrent(device), problem))}</ul></section>
${others > 0 ? html`<div class="row"><span class="soft">${counted(locale, words.devices.others, others)}</span>${endOthers}</div>` : html`<p class="soft">${words.devices.only}</p>`}
</div>`;
  return sendPage(visit, {
    title: words.devices.title,
    body,
    tabs: 'devices',
    ...(problem ? { status: problem.status } : {}),
  });
}

function entryOf(visit: Visit, device: DeviceRow, isCurrent: boolean, problem: Problem | undefined): Html {
  const { words } = visit;
  const action = pathTo(visit, '/account/devices');
  const isAtFault = problem !== undefined && textOf(visit.form, 'device') === device.id;
  // Each rename form is a form of its own: its field needs a name on the page that no other has.
  const field = fieldOf(visit, {
    name: `name-${device.id}`,
    label: words.fields.deviceName,
    value: isAtFault ? textOf(visit.form, `name-${device.id}`) : device.name,
    maxLength: LONGEST_NAME,
    autocomplete: 'off',
    problem: isAtFault ? problem : undefined,
  });
  const rename = formOf(
    visit,
    action,
    { action: 'rename', device: device.id },
    html`${field}<div class="row"><button class="button small" type="submit">${words.save}</button></div>`,
    'stack-close',
  );
  const end = formOf(
    visit,
    action,
    { action: 'end', device: device.id },
    html`<button class="button plain small" type="submit">${words.devices.end}<span class="spoken"> ${device.name}</span></button>`,
    'row',
  );
  const seen = fillHtml(words.devices.lastSeen, { time: timeOf(visit, device.last_seen) });
  const first = fillHtml(words.devices.firstSeen, { time: timeOf(visit, device.first_seen) });
  const place =
    device.last_ip !== null && fillHtml(words.devices.place, { place: html`<bdi>${device.last_ip}</bdi>` });
  const name = html`<span class="row"><bdi class="strong">${device.name}</bdi>${isCurrent && html`<span class="badge">${words.devices.thisDevice}</span>`}</span>`;
  const facts = html`<span class="meta"><span>${seen}</span><span>${first}</span>${place && html`<span>${place}</span>`}</span>`;
  const fold = html`<details class="fold"${isAtFault && html` open`}><summary>${words.devices.rename}<span class="spoken"> ${device.name}</span></summary>${rename}</details>`;
  return html`<li><div class="entry">${name}${facts}</div><div class="acts">${!isCurrent && end}${fold}</div></li>`;
}

/** In UTC and saying so; the script tells it in the reader's own time. */
function timeOf({ locale }: Visit, moment: Date): Html {
  const format = new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  });
  return html`<time datetime="${moment.toISOString()}">${format.format(moment)} UTC</time>`;
}

/** POST /account/devices: rename one, end one, or end all others. */
export async function takeDevices(visit: Visit, access: Access): Promise<FastifyReply> {
  const { form, context, clues } = visit;
  const action = textOf(form, 'action');
  const id = textOf(form, 'device');
  if (action === 'rename') return rename(visit, access, id);
  const endsOthers = action === 'end_others';
  const ended = endsOthers
    ? await logout(context.signIn, access, 'others', clues.caller)
    : await endDevice(context.signIn, access, id, clues.caller);
  if (!ended.ok && ended.error !== 'NOT_FOUND') {
    return askProof(visit, access, ended, { action: 'devices', form: { action, device: id.slice(0, 36) } });
  }
  if (!endsOthers && !isUuid(id)) return noSuchDevice(visit);
  if (!endsOthers && id === access.deviceId) {
    leave(visit);
    return goTo(visit, pathTo(visit, '/sign-out'));
  }
  // Also where somebody has ended it a moment ago.
  return backTo(visit, 'ended');
}

async function rename(visit: Visit, access: Access, id: string): Promise<FastifyReply> {
  if (!isUuid(id)) return noSuchDevice(visit);
  const name = trimmedOf(visit.form, `name-${id}`);
  const wrong =
    name === undefined
      ? 'required'
      : name.length > LONGEST_NAME
        ? 'invalid'
        : UNPRINTABLE.test(name)
          ? 'characters'
          : undefined;
  if (name === undefined || wrong) {
    return showDevices(visit, access, fieldProblems(visit, { [`name-${id}`]: wrong ?? 'required' }));
  }
  await visit.context.signIn.sessions.renameDevice(access, id, name, visit.clues.caller);
  return backTo(visit, 'renamed');
}

function noSuchDevice(visit: Visit): Promise<FastifyReply> {
  const { words } = visit;
  return tell(visit, 404, words.notFound, { path: '/account/devices', text: words.devices.title });
}

function backTo(visit: Visit, notice: 'ended' | 'renamed'): FastifyReply {
  leaveNotice(visit, notice);
  return goTo(visit, pathTo(visit, '/account/devices'));
}
