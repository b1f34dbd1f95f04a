/** For workerd. */
import { outcomeAt } from './outcome.ts'

export default {
  fetch: async (request: { url: string }): Promise<Response> =>
    Response.json(await outcomeAt(new URL(request.url).searchParams.get('origin') ?? '')),
}
