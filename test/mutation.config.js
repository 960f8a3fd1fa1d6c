import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/*
 * Mutation testing of the parts that are pure and have unit tests: Stryker puts one small mistake after another into
 * them, and runs the unit tests that execute the place. `npm run test:mutation` fails if they notice fewer than nine in
 * ten.
 */

// Mocha 12 has its command line in files `.cjs`, which the runner requires without the ending. The processes of Stryker
// import this file for it.
const { extensions } = createRequire(import.meta.url);
extensions['.cjs'] ??= extensions['.js'];

// The processes of Stryker start in the folder of the project, whose tsconfig.json does not name the copies in `dist`.
process.env.TSX_TSCONFIG_PATH ??= fileURLToPath(new URL('mutation.tsconfig.json', import.meta.url));

export default {
  mutate: [
    'src/{ByteBudget,EnvironmentReader,FairQueue,Supervisor,config,databaseUrl,limits,misspeltSettings}.ts',
    'src/bus/{ChangeOrder,ChatSequence,GapPlan,KeyedQueue,SeenIds,TopicSequences,topics}.ts',
    'src/bus/nats/{Confirmations,FlowControl,InFlight,OutgoingStream,Peer,Peers,RecentPublications}.ts',
    'src/bus/nats/{RoundTrips,SendPolicy,codec,peerMessages,sender}.ts',
    'src/chats/Typists.ts',
    'src/client/{ChatSequence,Heartbeat,Inbox,Outbox,Synchroniser,backoff}.ts',
    'src/client/view/{History,Refresher,Store,Timers,summary}.ts',
    'src/commands/ConcurrencyLimit.ts',
    'src/messages/{BatchConditions,CandidateList,IndexingSchedule,PendingChange,Permits,PlainBatch,StallWatch,WriterQueue}.ts',
    'src/messages/{mentions,queryFilters,searchHighlight,sendFrames}.ts',
    'src/observability/{PlainHistogram,TimeoutLog}.ts',
    'src/presence/OnlineUsers.ts',
    'src/protocol/{closeCodes,cursor,frames,validator}.ts',
    'src/protocol/schema/{moment,page}.ts',
    'src/sessions/UnrecordedSessions.ts',
    'src/socket/{CommandQueue,CompactMap,Connection,ConnectionRegistry,Newcomers}.ts',
    'src/socket/{OneOrMany,TopicSubscriptions,slices}.ts',
    'src/socket/{rateLimits,reasonToEnd,rounds,upgradeRequest}.ts',
    'src/text/*.ts',
  ],
  mutator: {
    // Where a value may be undefined, the compiler refuses a member without `?.`.
    excludedMutations: ['OptionalChaining'],
  },
  // What runs when a module is loaded, such as constants and regular expressions, would need a new process each time.
  ignoreStatic: true,
  coverageAnalysis: 'perTest',
  tsconfigFile: 'dist/none.json', // none has to be rewritten, for which Stryker needs an older compiler
  disableTypeChecks: false, // tsx strips the types, and a test compares a source with its generator

  testRunner: 'mocha',
  testRunnerNodeArgs: ['--no-experimental-require-module', '--import', 'tsx', '--import', import.meta.url],
  checkerNodeArgs: ['--import', import.meta.url],
  plugins: ['@stryker-mutator/mocha-runner'],
  mochaOptions: {
    'no-package': true, // nor the hooks of test/support/harness.ts, which these tests do without
    require: ['test/support/mocks.ts'],
    'no-config': true,
    spec: ['test/unit/**/*.test.ts'],
    // They read files that are not copied, or say nothing about the code above.
    ignore: ['test/unit/{bench,env-example,layers,shrink}.test.ts'],
    // Tests of time: code with mistakes to choose from is slower.
    grep: '^(?!.*(takes little longer|within milliseconds|bounded number of names))',
  },
  ignorePatterns: ['/.data', '/bench', '/dist', '/examples'],
  tempDirName: 'dist/mutation/sandbox',

  incremental: true, // only what has changed, with its tests, unless `--force` is given
  incrementalFile: 'dist/mutation/incremental.json',
  reporters: ['clear-text', 'progress', 'html'],
  clearTextReporter: { reportTests: false, logTests: false },
  htmlReporter: { fileName: 'dist/mutation/report.html' },
  thresholds: { high: 95, low: 90, break: 90 },
};
