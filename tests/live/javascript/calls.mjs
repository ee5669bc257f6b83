// Calls @azure/arm-network as a test says. Each line of the input is a call: {subscription, group, method, arguments}. Each
// line of the output is what it returned: {value}, or {code, status} of an error.
import { ClientSecretCredential } from "@azure/identity";
import { NetworkManagementClient } from "@azure/arm-network";
import { createInterface } from "node:readline";

const [origin, tenant, client, secret] = process.argv.slice(2);
const credential = new ClientSecretCredential(tenant, client, secret, {
  authorityHost: origin,
  disableInstanceDiscovery: true,
});
const clients = new Map();

function clientOf(subscription) {
  if (!clients.has(subscription)) {
    const options = { endpoint: origin, credentials: { scopes: [`${origin}/.default`] } };
    clients.set(subscription, new NetworkManagementClient(credential, subscription, options));
  }
  return clients.get(subscription);
}

async function valueOf(returned) {
  if (returned?.[Symbol.asyncIterator] === undefined) return await returned; // a resource, or a long-running operation
  const found = [];
  for await (const each of returned) found.push(each);
  return found;
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  let reply;
  try {
    const value = await valueOf(clientOf(call.subscription)[call.group][call.method](...call.arguments));
    reply = { value: value ?? null };
  } catch (error) {
    reply = { code: error.code ?? String(error), status: error.statusCode ?? 0 };
  }
  console.log(JSON.stringify(reply));
}
