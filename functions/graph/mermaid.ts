import type { PipelinePlan, StagePlan } from './stage-plan.ts';

/** The plan as a Mermaid flow chart: topics, stages with their operators, and the channels between them. */
export function describeAsMermaid(plan: PipelinePlan): string {
  const boxes = new Map(plan.stages.map((stage, index) => [stage.id, `stage${index}`]));
  const lines = plan.stages.flatMap((stage) => drawStage(stage, boxes));
  return `${['flowchart LR', ...new Set(lines)].map((line, index) => (index === 0 ? line : `  ${line}`)).join('\n')}\n`;
}

function drawStage(stage: StagePlan, boxes: ReadonlyMap<string, string>): readonly string[] {
  const box = boxes.get(stage.id) ?? stage.id;
  const { input } = stage;
  const topics = input.kind === 'source' ? input.topics : [];
  return [
    `${box}["${label([`<b>${stage.id}</b>`, ...stage.operators.map(({ name }) => name)])}"]`,
    ...topics.map((topic, index) => `${box}_in${index}[("${label([topic])}")] --> ${box}`),
    ...stage.outputs.map(({ channel, partitioner }) => `${box} -->|${partitioner}| ${boxes.get(channel) ?? channel}`),
  ];
}

/** Mermaid reads `"` and `#` in a label as its own. */
function label(lines: readonly string[]): string {
  return lines.map((line) => line.replace(/#/g, '#35;').replace(/"/g, '#quot;')).join('<br/>');
}
