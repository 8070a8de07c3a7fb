import Fastify from 'fastify';

/** The bare route of the same HTTP framework: the ceiling a session check is related to. */
const app = Fastify({ logger: false });
app.get('/hello', () => ({ message: 'hello' }));
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
