/** kafkajs describes only its public API. */
declare module 'kafkajs/src/protocol/requests/fetch/v4/request.js' {
  export default function fetchRequest(request: object): object;
}
