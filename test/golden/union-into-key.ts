// A union that feeds only a keyBy costs no stage: both sources write into the keyed channel, each under its own tag.
import { json, kafka, pipeline } from 'millrace';

interface Click {
  readonly user: string;
}

export default pipeline('union-into-key', (env) => {
  const web = env.fromSource(kafka.source({ topic: 'web', value: json<Click>() }), { uid: 'web' });
  const app = env.fromSource(kafka.source({ topic: 'app', value: json<Click>() }), { uid: 'app' });
  web
    .filter(({ user }) => user !== 'robot')
    .union(app)
    .keyBy(({ user }) => user)
    .count()
    .uid('clicks')
    .print();
});
