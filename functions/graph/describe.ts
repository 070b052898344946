import { maskSecret } from '../shared/secrets.ts';
import type {
  OperatorEdge,
  OperatorPlan,
  PipelinePlan,
  StageInput,
  StageOutput,
  StagePlan,
  StateShape,
  TopicProduction,
} from './stage-plan.ts';

/** The plan as text for people: stages in order, each with its input, its operators and where its records go. */
export function describePlan(plan: PipelinePlan): string {
  const head = [
    `pipeline ${plan.pipeline}`,
    `  namespace ${plan.namespace}, generation ${plan.generation}, ${plan.maxParallelism} key groups, ${plan.stateFragments} fragments`,
    ...Object.entries(plan.params).map(([name, value]) => `  param ${name} = ${maskSecret(name, value)}`),
  ];
  const tail = [
    ...plan.feeds.map((feed) => `feed ${feed.uid} -> ${feed.topic} (${count(feed.partitions, 'partition')})`),
    `dead letters -> ${plan.deadLetterTopic}`,
  ];
  return [head, ...plan.stages.map(describeStage), tail].map((lines) => `${lines.join('\n')}\n`).join('\n');
}

function describeStage(stage: StagePlan): readonly string[] {
  const tasks = stage.parallelism === null ? 'a task for each partition' : count(stage.parallelism, 'task');
  return [
    `stage ${stage.id}: ${tasks}, ${stage.fenced ? 'fenced' : 'no fence'}${stage.journal ? ', journal' : ''}${stage.transactional ? ', exactly-once sink' : ''}`,
    `  in   ${describeInput(stage.input)}`,
    ...stage.operators.map((operator) => `  ${describeOperator(operator)}`),
    ...Object.entries(stage.produces).map(([topic, how]) => `  to   topic ${topic}: ${describeProduction(how)}`),
    ...stage.outputs.map((output) => `  out  ${describeOutput(output)}`),
  ];
}

function describeInput(input: StageInput): string {
  if (input.kind === 'source') {
    const { topics, pattern, uid, bounded, start, stop, idlenessMs } = input;
    const named = `${topics.length === 1 ? 'topic' : 'topics'} ${topics.join(', ')}`;
    const found = topics.length === 0 ? 'not looked up yet' : topics.join(', ');
    const from = start === 'earliest' ? '' : `, from ${typeof start === 'string' ? start : JSON.stringify(start)}`;
    const to = stop === undefined ? '' : `, to ${typeof stop === 'string' ? stop : JSON.stringify(stop)}`;
    const idle = idlenessMs === undefined ? '' : `, idle after ${idlenessMs} ms`;
    return `${pattern === null ? named : `topics ${pattern}: ${found}`} (source ${uid}${bounded ? ', bounded' : ''}${from}${to}${idle})`;
  }
  const from = input.upstreams.map(({ stage }) => stage).join(', ');
  return `${input.hop} channel ${input.topic} from ${from}`;
}

function describeOperator(operator: OperatorPlan): string {
  const uid = operator.uid === null || operator.uid === operator.name ? '' : ` uid ${operator.uid}`;
  const states = operator.states.map(describeState);
  const what = operator.name === operator.kind ? operator.kind : `${operator.kind} ${operator.name}`;
  const inputs = operator.secondInputs ? [operator.inputs, operator.secondInputs] : [operator.inputs];
  const from = inputs.map((edges) => edges.map(describeEdge).join(', ')).join(' and ');
  return `${`#${operator.node}`.padEnd(4)} ${what}${uid}${operator.keyed ? ' (keyed)' : ''} <- ${from}${states.length > 0 ? ` [${states.join('; ')}]` : ''}`;
}

function describeState({ name, kind, type, version, ttlMs }: StateShape): string {
  const life = `${version === undefined ? '' : `, version ${version}`}${ttlMs === undefined ? '' : `, ttl ${ttlMs} ms`}`;
  return `${name}: ${kind} ${type}${life}`;
}

function describeProduction(production: TopicProduction): string {
  return Object.entries(production)
    .map(([option, value]) => `${option} ${String(value)}`)
    .join(', ');
}

function describeEdge(edge: OperatorEdge): string {
  if ('input' in edge) return `input ${edge.input}`;
  return edge.side === undefined ? `#${edge.node}` : `#${edge.node} side ${edge.side}`;
}

function describeOutput(output: StageOutput): string {
  const how = output.keyNode === null ? output.partitioner : `by key #${output.keyNode}`;
  const to = `${output.topic} (${count(output.partitions, 'partition')}, tag ${output.tag})`;
  return `${describeEdge(output.from)} -> ${to} ${how}`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
