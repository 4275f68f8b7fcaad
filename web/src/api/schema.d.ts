// Written by tools/api-types from openapi/console.json.
export interface paths {
    "/api/v1/clusters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists clusters. */
        get: operations["list_clusters"];
        put?: never;
        /** Registers a cluster. Who asks for `application/x-ndjson` gets each stage as it ends, the outcome last. */
        post: operations["register_cluster"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clusters/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads one cluster. */
        get: operations["get_cluster"];
        put?: never;
        post?: never;
        /** Removes a cluster from the hub. */
        delete: operations["remove_cluster"];
        options?: never;
        head?: never;
        /** Edits a cluster. */
        patch: operations["update_cluster"];
        trace?: never;
    };
    "/api/v1/clusters/{name}/credential": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Replaces the credential of a cluster. One that leads to another cluster is refused. */
        put: operations["replace_credential"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/connection-checks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries a kubeconfig: one line `{"stage": …}` for each stage as it starts and ends, then `{"result": …}`. Nothing is
         *     saved.
         */
        post: operations["check_connection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/federated/{resource}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists federated objects of a type. */
        get: operations["list_federated"];
        put?: never;
        /** Makes a federated object. */
        post: operations["create_federated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/federated/{resource}/{namespace}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a federated object. */
        get: operations["get_federated"];
        /** Replaces a federated object. With a `metadata.resourceVersion` it must not have changed since. */
        put: operations["replace_federated"];
        post?: never;
        /** Deletes a federated object, and with it what clusters hold of it. */
        delete: operations["delete_federated"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/federated/{resource}/{namespace}/{name}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists what happened to a federated object, the latest first. */
        get: operations["list_federated_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/federated/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Tells what the planner would do with an object, of any federated type or a `ReplicaSchedulingPreference`. Nothing is saved. */
        post: operations["preview_federated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/federated/types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the federated types, sorted by the kind that members hold. */
        get: operations["list_federated_types"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the changes that wait for an answer. */
        get: operations["list_holds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/holds/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a hold, with everything that would go. */
        get: operations["get_hold"];
        put?: never;
        /** Answers a hold. */
        post: operations["answer_hold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/kubeconfigs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a kubeconfig: the context `hub` and one for each cluster, with a token made for it. */
        post: operations["create_kubeconfig"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says who asks. */
        get: operations["get_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs in. */
        post: operations["create_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/current": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ends the sign-in that this call is made with. */
        delete: operations["delete_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Opens the stream: a WebSocket with the subprotocols `atoll.v1` and `ticket.<ticket>`, or with a bearer token. */
        get: operations["open_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stream-tickets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a ticket for the stream: good once, for 30 s, for the caller. */
        post: operations["create_stream_ticket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the caller's tokens. */
        get: operations["list_tokens"];
        put?: never;
        /** Makes a token for the caller. It can do what the caller can. */
        post: operations["create_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revokes a token of the caller, on every replica within seconds. */
        delete: operations["delete_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description Where the change was made.
         * @enum {string}
         */
        CauseKind: "object" | "namespace" | "cluster" | "leftover";
        /** @description What a check that passed found. */
        CheckPassed: {
            /** @description The name under which this cluster is registered already. */
            alreadyRegisteredAs?: string | null;
            /** @description The one that was tried. */
            context: string;
            /** @description All contexts of the kubeconfig. */
            contexts: components["schemas"]["KubeconfigContext"][];
            /**
             * Format: date-time
             * @description When the credential ends.
             */
            credentialExpiresAt?: string | null;
            /** @description `gitVersion` of the API server. */
            kubernetesVersion?: string | null;
            /**
             * Format: int32
             * @description Nodes.
             */
            nodeCount?: number | null;
            /** @description Always true. */
            ok: boolean;
            /** @description A guess at who runs it. */
            provider?: string | null;
            /** @description Region of most nodes. */
            region?: string | null;
            /** @description URL of the API server. */
            server: string;
            /** @description UID of the namespace `kube-system`. */
            uid?: string | null;
            /** @description What registering it would write into it. */
            willCreate: components["schemas"]["ObjectRef"][];
        };
        /** @description A registered cluster. What is not known is null. */
        Cluster: {
            /** @description A name for people. */
            alias?: string | null;
            allocatable?: components["schemas"]["Resources"] | null;
            /**
             * Format: date-time
             * @description When it was last asked.
             */
            asOf?: string | null;
            capacity?: components["schemas"]["Resources"] | null;
            /** @description In Kubernetes' form. */
            conditions: components["schemas"]["Condition"][];
            /**
             * Format: date-time
             * @description When it was registered.
             */
            createdAt: string;
            /** @description By whom. */
            createdBy?: string | null;
            /**
             * Format: date-time
             * @description When the hub's credential ends.
             */
            credentialExpiresAt?: string | null;
            /** @description Free text. */
            description?: string | null;
            /** @description URL of its API server. */
            endpoint?: string | null;
            /** @description `gitVersion` of its API server. */
            kubernetesVersion?: string | null;
            /** @description What placement selects by. */
            labels: {
                [key: string]: string;
            };
            /**
             * Format: int64
             * @description How long the last answer took.
             */
            latencyMs?: number | null;
            /** @description Its name. */
            name: string;
            /**
             * Format: int32
             * @description Nodes.
             */
            nodeCount?: number | null;
            /** @description Who runs it, such as `eks` or `kind`. */
            provider?: string | null;
            /**
             * Format: int32
             * @description Nodes that are ready.
             */
            readyNodeCount?: number | null;
            /** @description Where it is. */
            region?: string | null;
            requested?: components["schemas"]["Resources"] | null;
            /** @description Host or member. */
            role: components["schemas"]["ClusterRole"];
            /**
             * Format: date-time
             * @description Since when it is in that state.
             */
            since?: string | null;
            /** @description At one glance. */
            state: components["schemas"]["ClusterState"];
            /** @description UID of its namespace `kube-system`. */
            uid?: string | null;
        };
        /** @description A change of a cluster, as a JSON merge patch: what is left out stays, what is null goes. */
        ClusterPatch: {
            /** @description A name for people. */
            alias?: string | null;
            /** @description Free text. */
            description?: string | null;
            /** @description Labels; null takes one away. */
            labels?: {
                [key: string]: string | null;
            };
            /** @description Who runs it. */
            provider?: string | null;
            /** @description Where it is. */
            region?: string | null;
            role?: components["schemas"]["ClusterRole"] | null;
        };
        /**
         * @description What a cluster is to the hub.
         * @enum {string}
         */
        ClusterRole: "host" | "member";
        /**
         * @description What people see of a cluster at one glance.
         * @enum {string}
         */
        ClusterState: "Pending" | "Ready" | "Degraded" | "Offline";
        /** @description A condition in Kubernetes' form. */
        Condition: {
            /**
             * Format: date-time
             * @description When the status last changed.
             */
            lastTransitionTime?: string | null;
            /** @description For people. */
            message?: string | null;
            /** @description One word. */
            reason?: string | null;
            /** @description `True`, `False` or `Unknown`. */
            status: string;
            /** @description Such as `Ready`. */
            type: string;
        };
        /** @description What is to be tried. */
        ConnectionCheck: {
            /** @description Which context of it; the current one when it is left out. */
            context?: string | null;
            /**
             * Format: password
             * @description A kubeconfig, as text.
             */
            kubeconfig: string;
        };
        /** @description A sign-in whose token is a cookie. */
        CookieSession: {
            /**
             * Format: date-time
             * @description When it ends.
             */
            expiresAt: string;
            /** @description What pages send as `X-Atoll-Key` beside the cookie. */
            key: string;
            /** @description Who signed in. */
            user: components["schemas"]["User"];
        };
        /** @description What is wanted of a new token. */
        CreateToken: {
            /**
             * Format: int64
             * @description Days until it ends; never when this is left out.
             */
            expiresInDays?: number | null;
            /** @description What to call it. */
            name: string;
        };
        /** @description A federated object, in one line. */
        Federated: {
            /** @description Clusters that hold it or should. */
            clusters: components["schemas"]["FederatedCluster"][];
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /** @description Whether it is on its way out. */
            deleting: boolean;
            /**
             * Format: int64
             * @description Replicas that the hub asks for, in all clusters together.
             */
            desiredReplicas?: number | null;
            /**
             * Format: int64
             * @description Counts changes of its spec.
             */
            generation: number;
            /** @description Images of its containers, but for what clusters override. */
            images: string[];
            /** @description Such as `FederatedDeployment`. */
            kind: string;
            /** @description For people. */
            message?: string | null;
            /** @description Its name. */
            name: string;
            /** @description Its namespace. */
            namespace: string;
            /**
             * Format: int64
             * @description The generation that its status is about.
             */
            observedGeneration?: number | null;
            /**
             * Format: int64
             * @description Replicas that are ready, in all clusters together.
             */
            readyReplicas?: number | null;
            /** @description One word for why it is not as it should be. */
            reason?: string | null;
            /** @description What members hold, such as `deployments.apps`. */
            resource: string;
            /** @description At one glance. */
            state: components["schemas"]["FederatedState"];
            /** @description Its UID. */
            uid: string;
        };
        /** @description An object. */
        FederatedBody: {
            /** @description The object, or its YAML as text. */
            object: Record<string, unknown>;
        };
        /** @description How it stands in one cluster. */
        FederatedCluster: {
            /**
             * Format: int64
             * @description Replicas that have been ready for long enough.
             */
            availableReplicas?: number | null;
            /**
             * Format: int64
             * @description Replicas that the hub asks for.
             */
            desiredReplicas?: number | null;
            /** @description Images of its containers there. */
            images: string[];
            /**
             * Format: date-time
             * @description When the word last changed.
             */
            lastTransitionTime?: string | null;
            /** @description For people. */
            message?: string | null;
            /** @description The cluster. */
            name: string;
            /** @description How many operations make it differ there. */
            overrides: number;
            /**
             * Format: int64
             * @description Replicas that are ready.
             */
            readyReplicas?: number | null;
            /**
             * Format: int64
             * @description Replicas that exist.
             */
            replicas?: number | null;
            /** @description KubeFed's word; `OK` when all is well. */
            status: string;
            /**
             * Format: int64
             * @description Replicas of the newest template.
             */
            updatedReplicas?: number | null;
        };
        /** @description An object that was made, with its summary. */
        FederatedCreated: {
            /** @description Everything that was made. */
            created: components["schemas"]["ObjectRef"][];
            /** @description The object itself. */
            object: Record<string, unknown>;
            /** @description In one line. */
            summary: components["schemas"]["Federated"];
        };
        /** @description An object with its summary. */
        FederatedDetail: {
            /** @description The object itself. */
            object: Record<string, unknown>;
            /** @description The `ReplicaSchedulingPreference` that shares its replicas out, if there is one. */
            preference?: Record<string, unknown> | null;
            /** @description In one line. */
            summary: components["schemas"]["Federated"];
        };
        /** @description Something that happened, perhaps several times. */
        FederatedEvent: {
            /**
             * Format: int64
             * @description How often.
             */
            count: number;
            /**
             * Format: date-time
             * @description When it happened first.
             */
            firstAt?: string | null;
            /**
             * Format: date-time
             * @description When it happened last.
             */
            lastAt?: string | null;
            /** @description For people. */
            message: string;
            /** @description One word, such as `CreateInCluster`. */
            reason: string;
            /** @description Whether something went wrong. */
            warning: boolean;
        };
        /**
         * @description How a federated object stands at one glance.
         * @enum {string}
         */
        FederatedState: "Ready" | "Progressing" | "Degraded" | "Pending" | "Deleting";
        /** @description A federated type. */
        FederatedType: {
            /** @description Such as `types.kubefed.io`. */
            group: string;
            /** @description Whether it has replicas that are shared out. */
            hasReplicas: boolean;
            /** @description Such as `FederatedDeployment`. */
            kind: string;
            /** @description Whether the federated objects live in namespaces. */
            namespaced: boolean;
            /** @description Whether its objects are kept in step now. */
            propagated: boolean;
            /** @description What members hold, such as `deployments.apps`: names the type in paths. */
            resource: string;
            /** @description What kubectl takes for it, such as `fdeploy`. */
            shortNames: string[];
            /** @description What members hold. */
            target: components["schemas"]["TargetType"];
            /** @description Version of the federated kind. */
            version: string;
        };
        /** @description One field of a member's object that would change. */
        FieldChange: {
            /** @description What it would have; null when the field goes. */
            after: unknown;
            /** @description What the member has; null when it has nothing there. Values of Secrets are masked. */
            before: unknown;
            /** @description Where, such as `spec.template.spec.containers[web].image`. */
            path: string;
        };
        /** @description A change whose deletes wait for an answer. */
        Hold: {
            /** @description Where the change was made. */
            cause: components["schemas"]["HoldCauseView"];
            /** @description Cluster by cluster. */
            clusters: components["schemas"]["HoldCluster"][];
            /** @description Objects that would be deleted, in all clusters together. */
            deletes: number;
            /** @description Names it for as long as it is about the same deletes. */
            id: string;
            /** @description For people. */
            message: string;
            /** @description The token of exactly these deletes; an answer carries it. */
            token: string;
        };
        /** @description An answer to a hold. */
        HoldAnswer: {
            /** @description What is to happen. */
            answer: components["schemas"]["HoldAnswerKind"];
            /** @description The token that was shown; when what would go has changed since, the answer is refused. */
            token: string;
        };
        /** @description What became of an answer. */
        HoldAnswered: {
            /** @description What was changed, for people. */
            changed: string[];
            /** @description What could not be done, and why. */
            left: string[];
        };
        /**
         * @description What is to happen with a hold.
         * @enum {string}
         */
        HoldAnswerKind: "undo" | "orphan" | "delete";
        /** @description Where the change was made, as far as that can be told from what it does. */
        HoldCauseView: {
            /** @description The cluster; null for an object. */
            cluster?: string | null;
            /** @description Name of the object; null for a cluster. */
            name?: string | null;
            /** @description The namespace; null for a cluster. */
            namespace?: string | null;
            /**
             * @description What members hold of the federated object, such as `deployments.apps`; null for a cluster, and for a plain object
             *     of Federation v1, which has no page of its own.
             */
            resource?: string | null;
            /** @description Where. */
            type: components["schemas"]["CauseKind"];
        };
        /** @description How much would go in one cluster. */
        HoldCluster: {
            /** @description Objects that would be deleted there. */
            deletes: number;
            /** @description The cluster. */
            name: string;
        };
        /** @description A hold with everything that would go. */
        HoldDetail: {
            /** @description What would go. */
            objects: components["schemas"]["HoldObject"][];
            /** @description In one line. */
            summary: components["schemas"]["Hold"];
            /** @description Whether the change can be taken back here. */
            undo: components["schemas"]["Undo"];
        };
        /** @description One object that would be deleted in one cluster. */
        HoldObject: {
            /** @description The cluster. */
            cluster: string;
            /** @description Kind of the federated object. */
            kind: string;
            /** @description Its name. */
            name: string;
            /** @description Its namespace. */
            namespace: string;
            /**
             * @description What the member holds, such as `deployments.apps`; null for a type that is no longer served, and for a plain
             *     object of Federation v1, which has no page of its own.
             */
            resource?: string | null;
        };
        /** @description The hub, as pages need it. */
        Hub: {
            /** @description Whether everything here will be thrown away. */
            demo: boolean;
            /** @description What kubeconfigs name. */
            publicUrl: string;
            /** @description Version of the program. */
            version: string;
        };
        /** @description A cluster that has joined. */
        Joined: components["schemas"]["Cluster"] & {
            /** @description What the hub wrote into it. */
            created: components["schemas"]["ObjectRef"][];
        };
        /** @description A context of a kubeconfig. */
        KubeconfigContext: {
            /** @description `token`, `clientCertificate` or `none`. */
            authentication: string;
            /** @description The cluster entry it names. */
            cluster: string;
            /** @description Whether it is the current one. */
            current: boolean;
            /** @description Its name. */
            name: string;
            /** @description URL of the API server. */
            server: string;
            /** @description The user entry it names. */
            user: string;
        };
        /** @description An object that was to be deleted and is still there. */
        Left: {
            /** @description Why it is still there. */
            message: string;
            /** @description Its name. */
            name: string;
            /** @description Its namespace; empty for none. */
            namespace: string;
            /** @description Its resource, such as `deployments.apps`. */
            resource: string;
        };
        /** @description A page of a list. */
        List_Cluster: {
            /** @description The items of this page. */
            items: {
                /** @description A name for people. */
                alias?: string | null;
                allocatable?: components["schemas"]["Resources"] | null;
                /**
                 * Format: date-time
                 * @description When it was last asked.
                 */
                asOf?: string | null;
                capacity?: components["schemas"]["Resources"] | null;
                /** @description In Kubernetes' form. */
                conditions: components["schemas"]["Condition"][];
                /**
                 * Format: date-time
                 * @description When it was registered.
                 */
                createdAt: string;
                /** @description By whom. */
                createdBy?: string | null;
                /**
                 * Format: date-time
                 * @description When the hub's credential ends.
                 */
                credentialExpiresAt?: string | null;
                /** @description Free text. */
                description?: string | null;
                /** @description URL of its API server. */
                endpoint?: string | null;
                /** @description `gitVersion` of its API server. */
                kubernetesVersion?: string | null;
                /** @description What placement selects by. */
                labels: {
                    [key: string]: string;
                };
                /**
                 * Format: int64
                 * @description How long the last answer took.
                 */
                latencyMs?: number | null;
                /** @description Its name. */
                name: string;
                /**
                 * Format: int32
                 * @description Nodes.
                 */
                nodeCount?: number | null;
                /** @description Who runs it, such as `eks` or `kind`. */
                provider?: string | null;
                /**
                 * Format: int32
                 * @description Nodes that are ready.
                 */
                readyNodeCount?: number | null;
                /** @description Where it is. */
                region?: string | null;
                requested?: components["schemas"]["Resources"] | null;
                /** @description Host or member. */
                role: components["schemas"]["ClusterRole"];
                /**
                 * Format: date-time
                 * @description Since when it is in that state.
                 */
                since?: string | null;
                /** @description At one glance. */
                state: components["schemas"]["ClusterState"];
                /** @description UID of its namespace `kube-system`. */
                uid?: string | null;
            }[];
            /** @description How many there are on all pages together. */
            totalItems: number;
        };
        /** @description A page of a list. */
        List_Federated: {
            /** @description The items of this page. */
            items: {
                /** @description Clusters that hold it or should. */
                clusters: components["schemas"]["FederatedCluster"][];
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                createdAt: string;
                /** @description Whether it is on its way out. */
                deleting: boolean;
                /**
                 * Format: int64
                 * @description Replicas that the hub asks for, in all clusters together.
                 */
                desiredReplicas?: number | null;
                /**
                 * Format: int64
                 * @description Counts changes of its spec.
                 */
                generation: number;
                /** @description Images of its containers, but for what clusters override. */
                images: string[];
                /** @description Such as `FederatedDeployment`. */
                kind: string;
                /** @description For people. */
                message?: string | null;
                /** @description Its name. */
                name: string;
                /** @description Its namespace. */
                namespace: string;
                /**
                 * Format: int64
                 * @description The generation that its status is about.
                 */
                observedGeneration?: number | null;
                /**
                 * Format: int64
                 * @description Replicas that are ready, in all clusters together.
                 */
                readyReplicas?: number | null;
                /** @description One word for why it is not as it should be. */
                reason?: string | null;
                /** @description What members hold, such as `deployments.apps`. */
                resource: string;
                /** @description At one glance. */
                state: components["schemas"]["FederatedState"];
                /** @description Its UID. */
                uid: string;
            }[];
            /** @description How many there are on all pages together. */
            totalItems: number;
        };
        /** @description A page of a list. */
        List_FederatedEvent: {
            /** @description The items of this page. */
            items: {
                /**
                 * Format: int64
                 * @description How often.
                 */
                count: number;
                /**
                 * Format: date-time
                 * @description When it happened first.
                 */
                firstAt?: string | null;
                /**
                 * Format: date-time
                 * @description When it happened last.
                 */
                lastAt?: string | null;
                /** @description For people. */
                message: string;
                /** @description One word, such as `CreateInCluster`. */
                reason: string;
                /** @description Whether something went wrong. */
                warning: boolean;
            }[];
            /** @description How many there are on all pages together. */
            totalItems: number;
        };
        /** @description A page of a list. */
        List_FederatedType: {
            /** @description The items of this page. */
            items: {
                /** @description Such as `types.kubefed.io`. */
                group: string;
                /** @description Whether it has replicas that are shared out. */
                hasReplicas: boolean;
                /** @description Such as `FederatedDeployment`. */
                kind: string;
                /** @description Whether the federated objects live in namespaces. */
                namespaced: boolean;
                /** @description Whether its objects are kept in step now. */
                propagated: boolean;
                /** @description What members hold, such as `deployments.apps`: names the type in paths. */
                resource: string;
                /** @description What kubectl takes for it, such as `fdeploy`. */
                shortNames: string[];
                /** @description What members hold. */
                target: components["schemas"]["TargetType"];
                /** @description Version of the federated kind. */
                version: string;
            }[];
            /** @description How many there are on all pages together. */
            totalItems: number;
        };
        /** @description A page of a list. */
        List_Hold: {
            /** @description The items of this page. */
            items: {
                /** @description Where the change was made. */
                cause: components["schemas"]["HoldCauseView"];
                /** @description Cluster by cluster. */
                clusters: components["schemas"]["HoldCluster"][];
                /** @description Objects that would be deleted, in all clusters together. */
                deletes: number;
                /** @description Names it for as long as it is about the same deletes. */
                id: string;
                /** @description For people. */
                message: string;
                /** @description The token of exactly these deletes; an answer carries it. */
                token: string;
            }[];
            /** @description How many there are on all pages together. */
            totalItems: number;
        };
        /** @description A page of a list. */
        List_Token: {
            /** @description The items of this page. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                createdAt: string;
                /**
                 * Format: date-time
                 * @description When it ends; null for never.
                 */
                expiresAt?: string | null;
                /**
                 * Format: uuid
                 * @description Its id.
                 */
                id: string;
                /**
                 * Format: date-time
                 * @description When it was last used, to the minute; null for never.
                 */
                lastUsedAt?: string | null;
                /** @description What its owner calls it. */
                name: string;
            }[];
            /** @description How many there are on all pages together. */
            totalItems: number;
        };
        /** @description The caller. */
        Me: {
            /** @description Their groups, as members see them. */
            groups: string[];
            /** @description The hub. */
            hub: components["schemas"]["Hub"];
            /**
             * Format: date-time
             * @description When the sign-in or token ends; null for a token without end.
             */
            sessionExpiresAt?: string | null;
            /** @description Who asks. */
            user: components["schemas"]["User"];
        };
        /** @description A cluster that is to join. */
        NewCluster: {
            /** @description Whether the hub's administrators become cluster-admin there; true when it is left out. */
            admitAdmins?: boolean | null;
            /** @description A name for people. */
            alias?: string;
            /** @description Which context of it; the current one when it is left out. */
            context?: string | null;
            /** @description Free text. */
            description?: string;
            /**
             * Format: password
             * @description A kubeconfig, as text.
             */
            kubeconfig: string;
            /** @description What placement selects by. */
            labels?: {
                [key: string]: string;
            };
            /** @description Its name: a DNS label. */
            name: string;
            /** @description Who runs it; found out when it is left out. */
            provider?: string;
            /** @description Where it is; found out when it is left out. */
            region?: string;
            role?: components["schemas"]["ClusterRole"] | null;
        };
        /** @description Another credential. */
        NewCredential: {
            /** @description Which context of it; the current one when it is left out. */
            context?: string | null;
            /**
             * Format: password
             * @description A kubeconfig, as text.
             */
            kubeconfig: string;
        };
        /** @description A new object. */
        NewFederated: {
            /** @description Whether its namespace is made where it is missing, and federated to the clusters the object is placed on. */
            createNamespace?: boolean;
            /** @description The object, or its YAML as text. */
            object: Record<string, unknown>;
        };
        /** @description Which clusters. */
        NewKubeconfig: {
            /** @description Their names; all that the caller may reach when this is left out. */
            clusters?: string[] | null;
        };
        /** @description Who wants to sign in. */
        NewSession: {
            /** @description Whether the token is wanted as a cookie, as pages do. */
            cookie?: boolean;
            /**
             * Format: password
             * @description The password.
             */
            password: string;
            /** @description The user's name. */
            username: string;
        };
        /** @description A new token, the only time it is shown. */
        NewToken: {
            /**
             * Format: date-time
             * @description When it ends; null for never.
             */
            expiresAt?: string | null;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /** @description What its owner calls it. */
            name: string;
            /** @description The token. */
            token: string;
        };
        /** @description An object of a Kubernetes API that was written, or would be. */
        ObjectRef: {
            /** @description Such as `rbac.authorization.k8s.io/v1`. */
            apiVersion: string;
            /** @description Such as `ClusterRoleBinding`. */
            kind: string;
            /** @description Its name. */
            name: string;
        };
        /** @description What would happen in each cluster. */
        Preview: {
            /** @description Every registered cluster. */
            clusters: components["schemas"]["PreviewCluster"][];
            /** @description What does not stop it but may not be meant. */
            warnings: string[];
        };
        /** @description What would happen in one cluster. */
        PreviewCluster: {
            /** @description `create`, `update`, `unchanged`, `delete`, `keep`, `wait`, `fail` or `none`. */
            action: string;
            /** @description Field by field, what would change in an object that is there already. */
            changes: components["schemas"]["FieldChange"][];
            /** @description For people. */
            message?: string | null;
            /** @description The cluster. */
            name: string;
            /** @description What the cluster would get. Values of Secrets are masked. */
            object?: Record<string, unknown> | null;
            /** @description One word for why; null when there is nothing to explain. */
            reason?: string | null;
            /**
             * Format: int64
             * @description Replicas that the hub would ask for.
             */
            replicas?: number | null;
        };
        /** @description A cluster that was removed. */
        Removed: {
            /** @description What was to be deleted in it and is still there. */
            left: components["schemas"]["Left"][];
            /** @description Its name. */
            name: string;
        };
        /** @description Sums over the nodes of a cluster. */
        Resources: {
            /**
             * Format: int64
             * @description Thousandths of a processor.
             */
            cpuMillis: number;
            /**
             * Format: int64
             * @description Memory in bytes.
             */
            memoryBytes: number;
            /**
             * Format: int64
             * @description Pods.
             */
            pods: number;
        };
        /** @description What a sign-in answers: the token, or with `cookie` the key that belongs to the cookie. */
        SessionAnswer: components["schemas"]["TokenSession"] | components["schemas"]["CookieSession"];
        /** @description `metav1.Status`: what every error is. */
        Status: {
            /** @description Always `v1`. */
            apiVersion: string;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            code: number;
            details?: components["schemas"]["StatusDetails"] | null;
            /** @description Always `Status`. */
            kind: string;
            /** @description For people. */
            message?: string | null;
            /** @description Kubernetes' word, such as `NotFound`. */
            reason?: string | null;
            /** @description `Failure`. */
            status: string;
        };
        /** @description One thing that is wrong. */
        StatusCause: {
            /** @description Path of the field. */
            field?: string | null;
            /** @description For people. */
            message?: string | null;
            /** @description Such as `FieldValueInvalid`. */
            reason?: string | null;
        };
        /** @description More for programs. */
        StatusDetails: {
            /** @description Field by field, what is wrong. */
            causes?: components["schemas"]["StatusCause"][] | null;
            /** @description The member cluster involved. */
            cluster?: string | null;
            /** @description API group of the object. */
            group?: string | null;
            /** @description The way out. */
            hint?: string | null;
            /** @description Kind of the object. */
            kind?: string | null;
            /** @description Name of the object. */
            name?: string | null;
            /**
             * Format: int64
             * @description When to try again.
             */
            retryAfterSeconds?: number | null;
            /** @description The stage of a connection that failed. */
            stage?: string | null;
            /** @description UID of the object. */
            uid?: string | null;
        };
        /** @description A ticket that opens the stream once. */
        StreamTicket: {
            /**
             * Format: date-time
             * @description When it is good no more.
             */
            expiresAt: string;
            /** @description To be offered as the subprotocol `ticket.<ticket>` beside `atoll.v1`. */
            ticket: string;
        };
        /** @description What members hold of a type. */
        TargetType: {
            /** @description API group; empty for the core group. */
            group: string;
            /** @description Kind. */
            kind: string;
            /** @description Whether members hold it in namespaces. */
            namespaced: boolean;
            /** @description Version. */
            version: string;
        };
        /** @description A token, without the token itself. */
        Token: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it ends; null for never.
             */
            expiresAt?: string | null;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /**
             * Format: date-time
             * @description When it was last used, to the minute; null for never.
             */
            lastUsedAt?: string | null;
            /** @description What its owner calls it. */
            name: string;
        };
        /** @description A sign-in with its token. */
        TokenSession: {
            /**
             * Format: date-time
             * @description When it ends.
             */
            expiresAt: string;
            /** @description The bearer token. */
            token: string;
            /** @description Who signed in. */
            user: components["schemas"]["User"];
        };
        /** @description Whether the change can be taken back here. */
        Undo: {
            /** @description What would be restored, or how to take the change back by hand. */
            message: string;
            /** @description Whether it can. */
            possible: boolean;
        };
        /** @description A person. */
        User: {
            /** @description Whether everything is allowed. */
            admin: boolean;
            /** @description Name for people. */
            displayName: string;
            /** @description Name, unique. */
            name: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_clusters: {
        parameters: {
            query?: {
                /** @description False for the other way round. */
                ascending?: boolean;
                /** @description Labels, as in `kubectl get -l`. */
                labelSelector?: string;
                /** @description Items of a page, at most 1000. */
                limit?: number;
                /** @description Part of the name or alias. */
                name?: string;
                /** @description Which page, from 1. */
                page?: number;
                /** @description Host or member. */
                role?: "host" | "member";
                /**
                 * @description `name` (the default), `alias`, `role`, `state`, `since`, `kubernetesVersion`, `nodeCount`, `provider`,
                 *     `region`, `latencyMs` or `createdAt`.
                 */
                sortBy?: string;
                /** @description At one glance. */
                state?: "Pending" | "Ready" | "Degraded" | "Offline";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The clusters */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Cluster"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    register_cluster: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewCluster"];
            };
        };
        responses: {
            /** @description The cluster, and what was written into it */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Joined"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    get_cluster: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cluster's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cluster */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cluster"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    remove_cluster: {
        parameters: {
            query?: {
                /** @description Whether what the hub wrote into the cluster stays (`orphan`, the default) or is deleted first (`delete`). */
                managed?: "orphan" | "delete";
            };
            header?: never;
            path: {
                /** @description The cluster's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Removed"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    update_cluster: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cluster's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["ClusterPatch"];
            };
        };
        responses: {
            /** @description The cluster */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cluster"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    replace_credential: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The cluster's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewCredential"];
            };
        };
        responses: {
            /** @description The cluster */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cluster"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    check_connection: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectionCheck"];
            };
        };
        responses: {
            /** @description Stages, one a line, and the result */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["CheckPassed"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    list_federated: {
        parameters: {
            query?: {
                /** @description False for the other way round. */
                ascending?: boolean;
                /** @description Labels, as in `kubectl get -l`. */
                labelSelector?: string;
                /** @description Items of a page, at most 1000. */
                limit?: number;
                /** @description Part of the name. */
                name?: string;
                /** @description One namespace. */
                namespace?: string;
                /** @description Which page, from 1. */
                page?: number;
                /** @description `name` (the default), `namespace`, `state`, `createdAt` or `desiredReplicas`. */
                sortBy?: string;
                /** @description At one glance. */
                state?: "Ready" | "Progressing" | "Degraded" | "Pending" | "Deleting";
            };
            header?: never;
            path: {
                /** @description What members hold, such as deployments.apps */
                resource: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The objects */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Federated"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    create_federated: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description What members hold, such as deployments.apps */
                resource: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewFederated"];
            };
        };
        responses: {
            /** @description The object */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FederatedCreated"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    get_federated: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The object's name */
                name: string;
                /** @description The object's namespace; - for what lives in none */
                namespace: string;
                /** @description What members hold, such as deployments.apps */
                resource: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The object */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FederatedDetail"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    replace_federated: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The object's name */
                name: string;
                /** @description The object's namespace; - for what lives in none */
                namespace: string;
                /** @description What members hold, such as deployments.apps */
                resource: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FederatedBody"];
            };
        };
        responses: {
            /** @description The object */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FederatedDetail"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    delete_federated: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The object's name */
                name: string;
                /** @description The object's namespace; - for what lives in none */
                namespace: string;
                /** @description What members hold, such as deployments.apps */
                resource: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, or on its way out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    list_federated_events: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The object's name */
                name: string;
                /** @description The object's namespace; - for what lives in none */
                namespace: string;
                /** @description What members hold, such as deployments.apps */
                resource: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_FederatedEvent"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    preview_federated: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FederatedBody"];
            };
        };
        responses: {
            /** @description What would happen */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    list_federated_types: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The types */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_FederatedType"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    list_holds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The holds */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Hold"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    get_hold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The hold */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The hold */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldDetail"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    answer_hold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The hold */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HoldAnswer"];
            };
        };
        responses: {
            /** @description What became of it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldAnswered"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    create_kubeconfig: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewKubeconfig"];
            };
        };
        responses: {
            /** @description The kubeconfig */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/yaml": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    get_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    create_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSession"];
            };
        };
        responses: {
            /** @description Signed in */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionAnswer"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    delete_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    open_stream: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream begins */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    create_stream_ticket: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ticket */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StreamTicket"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    list_tokens: {
        parameters: {
            query?: {
                /** @description False for the other way round. */
                ascending?: boolean;
                /** @description Items of a page, at most 1000. */
                limit?: number;
                /** @description Part of the name. */
                name?: string;
                /** @description Which page, from 1. */
                page?: number;
                /** @description `createdAt` (the default), `name`, `expiresAt` or `lastUsedAt`. */
                sortBy?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tokens */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Token"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    create_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateToken"];
            };
        };
        responses: {
            /** @description The token, shown this once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    delete_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
}
