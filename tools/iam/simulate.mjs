// Asks IAM's evaluation of each question: {"policies": {role: [document]}, "questions": [{role, principal, account, action,
// resource, context}]} on standard input; on standard output a list of "Allowed", "ImplicitlyDenied", "ExplicitlyDenied",
// or "error: ..." where the question is none that IAM knows, such as an action that there is not.
import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const { policies, questions } = JSON.parse(readFileSync(0, 'utf8'))
const answers = []
for (const { role, principal, account, action, resource, context } of questions) {
  const answer = await runSimulation(
    {
      request: { principal, action, resource: { resource, accountId: account }, contextVariables: context },
      identityPolicies: policies[role].map((policy, index) => ({ name: `${role}/${index}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: []
    },
    {}
  )
  answers.push(answer.resultType === 'error' ? `error: ${JSON.stringify(answer.errors)}` : answer.overallResult)
}
process.stdout.write(JSON.stringify(answers))
