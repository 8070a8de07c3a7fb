import type { FastifyReply } from 'fastify';
import { html } from '../web/html.ts';
import { sendPage } from './layout.ts';
import { goTo, pathTo, type Visit } from './visit.ts';

/** GET /: people sign in. In development it tells what is here. */
export function showHome(visit: Visit): FastifyReply | Promise<FastifyReply> {
  if (!visit.context.isDevelopment) return goTo(visit, pathTo(visit, '/sign-in'));
  const tenants = visit.context.signIn.tenants.all();
  const link = (href: string, text: string, about: string) =>
    html`<li><div class="entry"><a href="${href}">${text}</a><span class="small soft">${about}</span></div></li>`;
  const body = html`<div class="stack" lang="en" dir="ltr">
<div class="lead"><h1>Firstproof is running</h1><p class="soft">Development mode: nothing leaves this machine. Every code lands in the inbox.</p></div>
<ul class="entries">
${link('/sign-in', 'Sign in', 'The hosted pages of the default tenant')}
${tenants.filter(({ slug }) => slug !== 'default').map(({ slug, name }) => link(`/t/${slug}/sign-in`, name, `The pages of the tenant ${slug}`))}
${link('/account', 'Account', 'Profile, addresses and devices of whoever is signed in')}
${link('/dev/inbox', 'Inbox', 'Every message that would have gone out, as it would look')}
${link('/docs', 'API reference', 'Every call, with examples that can be run from the page')}
${link('/health/ready', 'Health', 'Is the server able to answer?')}
</ul>
</div>`;
  return sendPage(visit, { title: 'Firstproof', body });
}
