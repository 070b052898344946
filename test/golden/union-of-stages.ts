// A union of two stages that is read without a key: one channel, spread by origin, into a stage named after the union.
import { json, kafka, pipeline } from 'millrace';

export default pipeline('union-of-stages', (env) => {
  const web = env.fromSource(kafka.source({ topic: 'web', value: json<string>() }), { uid: 'web' });
  const app = env.fromSource(kafka.source({ topic: 'app', value: json<string>() }), { uid: 'app' });
  const third = env.fromElements('a', 'b');
  web
    .union(app)
    .union(
      third,
      third.map((text) => text.trim()),
    )
    .uid('all')
    .map((text) => text.length)
    .print();
});
